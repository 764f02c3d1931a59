import type { AccountId, HoldId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import { AccountColumns } from "./account-columns.ts";
import { counterName } from "./book.ts";
import { windowStart } from "./caps.ts";
import type { Command } from "./command.ts";
import { grantsToText } from "./grants-text.ts";
import { type Counters, type LoadedBook, NO_COUNTERS, newBook } from "./loaded-book.ts";
import { OpenHolds } from "./open-holds.ts";

/** An account with more open holds than this is read anew rather than remembered. */
const HOLDS_LIMIT = 10_000;

/** The books of the accounts that one lane met last, as its own commits left them. They are only ever a guess: what is
 *  decided on one is written on the condition that the account's row still has the same hash, so that a book which
 *  another process has overtaken costs a second try and can do no harm.
 *  A ring of slots instead of a list by age: no work at all for a look-up that hits, and the oldest goes first. What
 *  changes with every command is in arrays by slot, not in maps: a map leaves tables behind as it changes, each pointing
 *  to the next, and with them the garbage collector kept alive all that had ever been in them. */
export class KnownBooks {
  readonly #limit: number;
  readonly #slots = new Map<AccountId, number>();
  readonly #ids: (AccountId | null)[] = [];
  readonly #inUse: (LoadedBook | null)[] = [];
  readonly #accounts = new AccountColumns();
  readonly #holds: (OpenHolds | null)[] = [];
  readonly #counters: (Counters | null)[] = [];
  readonly #openHolds: number[] = [];
  readonly #free: number[] = [];
  #next = 0;

  /** `limit`: how many books are remembered at most. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get(id: AccountId): LoadedBook | undefined {
    const slot = this.#slots.get(id);
    if (slot === undefined) return undefined;
    const inUse = this.#inUse[slot];
    if (inUse != null) return inUse;
    const account = this.#accounts.read(slot, id);
    const holds = this.#holds[slot] ?? new OpenHolds();
    return newBook(account, holds, this.#counters[slot] ?? NO_COUNTERS, this.#openHolds[slot] ?? 0);
  }

  /** A plan moves this book on: until it is kept or forgotten, it stands as that plan will leave it. What earlier plans
   *  did under their keys goes: a repetition of it is found by the unique index. */
  use(book: LoadedBook): void {
    book.groups = null;
    if (this.#limit > 0) this.#inUse[this.#slotOf(book.account.id)] = book;
  }

  /** What was done to the book has been committed, and no other plan uses it. */
  keep(book: LoadedBook): void {
    const { account, holds, counters } = book;
    if (this.#limit === 0) return;
    if (holds.size > HOLDS_LIMIT) return this.forget(account.id);
    const slot = this.#slotOf(account.id);
    this.#inUse[slot] = null;
    this.#accounts.write(slot, account, book.grantsText ?? grantsToText(account.grants));
    this.#holds[slot] = holds.size === 0 ? null : holds;
    this.#counters[slot] = counters.size === 0 ? null : counters;
    this.#openHolds[slot] = book.openHolds;
  }

  forget(id: AccountId): void {
    const slot = this.#slots.get(id);
    if (slot === undefined) return;
    this.#empty(slot, id);
    this.#free.push(slot);
  }

  clear(): void {
    for (const id of this.#slots.keys()) this.forget(id);
  }

  #slotOf(id: AccountId): number {
    const known = this.#slots.get(id);
    if (known !== undefined) return known;
    const slot = this.#free.pop() ?? this.#takeOldest();
    this.#ids[slot] = id;
    this.#slots.set(id, slot);
    return slot;
  }

  #takeOldest(): number {
    const slot = this.#next;
    this.#next = (slot + 1) % this.#limit;
    const oldest = this.#ids[slot];
    if (oldest != null) this.#empty(slot, oldest);
    return slot;
  }

  #empty(slot: number, id: AccountId): void {
    this.#slots.delete(id);
    this.#ids[slot] = null;
    this.#inUse[slot] = null;
    this.#holds[slot] = null;
    this.#counters[slot] = null;
    this.#openHolds[slot] = 0;
  }
}

/** Whether this book holds everything that the command's decision reads, apart from what its key did before: an
 *  unused key is a guess too, which the unique index confirms. Rare commands always read. */
export function tellsAllAbout(book: LoadedBook, command: Command, now: Instant): boolean {
  switch (command.kind) {
    case "spend":
      return knowsCaps(book, command, now);
    case "hold":
      if (command.grantId !== undefined) return false;
      return knowsParent(book, command.parentId) && knowsCaps(book, command, now);
    case "extend": {
      const hold = book.holds.get(command.holdId);
      return hold !== undefined && knowsParent(book, hold.parentId) && knowsCaps(book, command, now);
    }
    case "settle":
    case "release":
      return (
        book.holds.isWhole(command.holdId) && knowsParent(book, book.holds.get(command.holdId)?.parentId)
      );
    default:
      return false;
  }
}

function knowsParent(book: LoadedBook, parentId: HoldId | null | undefined): boolean {
  return parentId == null || book.holds.get(parentId) !== undefined;
}

type Capped = Extract<Command, { kind: "spend" | "hold" | "extend" }>;

function knowsCaps(book: LoadedBook, { caps }: Capped, now: Instant): boolean {
  return (
    caps === undefined || caps.every((cap) => book.counters.has(counterName(cap.id, windowStart(cap, now))))
  );
}
