import type { AccountId } from "@bursar/contract/ids";
import { expect, test, vi } from "vitest";
import { type FeedDeps, Feeds } from "./feeds.ts";

/** A database that answers only when it is told to. */
function slowPool() {
  const waiting: (() => void)[] = [];
  const query = () => new Promise((resolve) => waiting.push(() => resolve({ rows: [] })));
  return {
    pool: { query } as unknown as FeedDeps["pool"],
    answer: () => waiting.splice(0).map((each) => each()),
  };
}

const changes = { changed: () => undefined, listen: () => () => undefined, close: async () => undefined };

test("who waits behind others that have gone is read all the same", async () => {
  const { pool, answer } = slowPool();
  const log = { warn: () => undefined };
  const feeds = new Feeds({ pool, changes, log } as unknown as FeedDeps);
  const heard: string[] = [];
  const account = (name: string) => `acct_${name}` as AccountId;
  const nobody = { send: () => undefined };
  const me = { send: (text: string) => void heard.push(text) };
  for (const name of ["1", "2", "3", "4"]) feeds.subscribe(account(name), "holds", nobody);
  for (const name of ["5", "6", "7", "8"]) {
    feeds.subscribe(account(name), "holds", nobody);
    feeds.unsubscribe(account(name), "holds", nobody);
  }
  feeds.subscribe(account("mine"), "holds", me);
  await vi.waitFor(() => {
    answer();
    expect(heard).toHaveLength(1);
  });
});
