import type { MicroCredits } from "@bursar/contract/money";
import type { Account } from "./account.ts";
import type { Book, KnownGroup } from "./book.ts";
import { KnownGroups } from "./known-groups.ts";
import type { OpenHolds } from "./open-holds.ts";

export type Counters = Map<string, MicroCredits>;

/** Shared by all accounts that count nothing, and never written to. */
export const NO_COUNTERS: Counters = new Map();

/** One account with what was asked of it; mutable, because a batch builds on it command by command. Most accounts of a
 *  batch have one command, no holds and no counters, so what may be empty is made when it is needed. */
export interface LoadedBook extends Book {
  account: Account;
  /** The grants as text, once somebody has needed it and until the account changes. */
  grantsText: string | null;
  readonly holds: OpenHolds;
  openHolds: number;
  groups: KnownGroups | null;
  counters: Counters;
}

export function newBook(account: Account, holds: OpenHolds, counters: Counters, openHolds = 0): LoadedBook {
  return { account, grantsText: null, holds, openHolds, groups: null, counters };
}

export function addGroup(book: LoadedBook, key: string, group: KnownGroup): void {
  book.groups ??= new KnownGroups();
  book.groups.add(key, group);
}

export function setCounter(book: LoadedBook, name: string, used: MicroCredits): void {
  if (book.counters === NO_COUNTERS) book.counters = new Map();
  book.counters.set(name, used);
}
