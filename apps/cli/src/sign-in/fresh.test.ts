import { mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync, utimesSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { freshToken } from "./fresh.ts";
import { openSignIns, type SignedIn, type SignIns } from "./store.ts";

const MINUTE = 60_000;
let home: string;
let signIns: SignIns;
let stale: SignedIn;
let refreshes = 0;
let whileRefreshing: () => void;

const server = createServer((_, response) => {
  const now = ++refreshes;
  whileRefreshing();
  const user = { username: "ann", role: "user", accountId: "acc_1" };
  const tokens = { accessToken: `access${now}`, refreshToken: `refresh${now}`, user };
  response.setHeader("content-type", "application/json");
  setTimeout(() => response.end(JSON.stringify(tokens)), 300);
});

beforeEach(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  home = mkdtempSync(join(tmpdir(), "bursar-fresh-"));
  signIns = openSignIns({ HOME: home });
  refreshes = 0;
  whileRefreshing = () => undefined;
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const who = { name: "ann", role: "user", accountId: "acc_1" };
  stale = { url, accessToken: "access0", refreshToken: "refresh0", staleAtMilliseconds: 0, ...who };
  signIns.keep(stale);
});
afterEach(async () => {
  vi.useRealTimers();
  rmSync(home, { recursive: true });
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const lock = () => `${signIns.path}.lock`;
const atOnce = () => Promise.all([1, 2, 3].map(() => freshToken(signIns, stale)));

test("is asked for once, also where the files' clock is another machine's", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 10 * MINUTE });
  expect(await atOnce()).toEqual(["access1", "access1", "access1"]);
  expect(refreshes).toBe(1);
});

test("is asked for once by those that find the lock of one that has died", async () => {
  mkdirSync(lock());
  const died = (Date.now() - 2 * MINUTE) / 1000;
  utimesSync(lock(), died, died);
  expect(await atOnce()).toEqual(["access1", "access1", "access1"]);
  expect(readdirSync(join(home, ".config", "bursar"))).toEqual(["sign-ins.json"]);
});

test("is kept by one whose lock was taken for a dead one's, which leaves another's lock alone", async () => {
  whileRefreshing = () => rmdirSync(lock());
  expect(await freshToken(signIns, stale)).toBe("access1");
  const another = new Date(Date.now() - MINUTE / 2);
  whileRefreshing = () => utimesSync(lock(), another, another);
  signIns.keep(stale);
  expect(await freshToken(signIns, stale)).toBe("access2");
  expect(readdirSync(join(home, ".config", "bursar"))).toContain("sign-ins.json.lock");
});
