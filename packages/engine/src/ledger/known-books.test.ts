import type { AccountId } from "@bursar/contract/ids";
import { expect, it } from "vitest";
import type { Account } from "./account.ts";
import { GENESIS_HASH } from "./entry.ts";
import { KnownBooks } from "./known-books.ts";
import { addGroup, NO_COUNTERS, newBook, setCounter } from "./loaded-book.ts";
import { OpenHolds } from "./open-holds.ts";
import { resultOf } from "./result.ts";

const ids = ["acct_a", "acct_b", "acct_c"] as AccountId[];

function accountWith(id: AccountId, available: bigint): Account {
  const buckets = { available, held: 0n, owed: 0n, issued: available, spent: 0n, expired: 0n, revoked: 0n };
  const limits = { alertBelow: null, topupBelow: null };
  return { id, ...buckets, frozen: false, grants: [], seq: 1n, hash: GENESIS_HASH, ...limits };
}

const bookWith = (id: AccountId, available = 5n) =>
  newBook(accountWith(id, available), new OpenHolds(), NO_COUNTERS);

it("remembers no more books than it may: the one met first goes", () => {
  const known = new KnownBooks(2);
  for (const id of ids) known.keep(bookWith(id));
  expect(ids.map((id) => known.get(id)?.account.id)).toEqual([undefined, "acct_b", "acct_c"]);
});

it("a book that is kept again stays where it is, and pushes no other out", () => {
  const known = new KnownBooks(2);
  known.keep(bookWith(ids[0]!));
  known.keep(bookWith(ids[1]!));
  known.keep(bookWith(ids[0]!, 3n));
  expect(known.get(ids[0]!)?.account.available).toBe(3n);
  expect(known.get(ids[1]!)?.account.available).toBe(5n);
});

it("a forgotten book is not found, and its place serves another account", () => {
  const known = new KnownBooks(2);
  const counting = bookWith(ids[0]!);
  setCounter(counting, "cap total", 7n);
  known.keep(counting);
  known.forget(ids[0]!);
  expect(known.get(ids[0]!)).toBeUndefined();
  known.keep(bookWith(ids[1]!));
  known.keep(bookWith(ids[2]!));
  expect(known.get(ids[1]!)?.counters.size).toBe(0);
  expect(known.get(ids[2]!)?.counters.size).toBe(0);
});

it("a book in use stands as its plan left it, without what earlier plans did under their keys", () => {
  const known = new KnownBooks(2);
  const book = bookWith(ids[0]!);
  const nothing = resultOf([
    {
      seq: 1n,
      kind: "spend",
      amount: 1n,
      holdAfter: null,
      expiresAt: null,
      availableAfter: 4n,
      heldAfter: 0n,
      owedAfter: 0n,
    },
  ]);
  addGroup(book, "key", { fingerprint: 1n, leader: "spend", result: nothing });
  known.use(book);
  expect(known.get(ids[0]!)).toBe(book);
  expect(book.groups).toBeNull();
});

it("the counters of one account are its own", () => {
  const [first, second] = [bookWith(ids[0]!), bookWith(ids[1]!)];
  setCounter(first, "cap total", 7n);
  expect(second.counters.get("cap total")).toBeUndefined();
  expect(NO_COUNTERS.size).toBe(0);
});

it("with room for none it remembers none", () => {
  const known = new KnownBooks(0);
  known.keep(bookWith(ids[0]!));
  expect(known.get(ids[0]!)).toBeUndefined();
});
