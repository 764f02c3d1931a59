import type { AccountId, HoldId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import { accountFromText, accountToText } from "./account-text.ts";
import { counterName } from "./book.ts";
import { windowStart } from "./caps.ts";
import type { Command } from "./command.ts";
import { OpenHolds } from "./open-holds.ts";
import { type LoadedBook, NO_GROUPS } from "./store-load.ts";

/** An account with more open holds than this is read anew rather than remembered. */
const HOLDS_LIMIT = 10_000;

/** A book at rest. The account is one line of text: as objects it would be fifteen, all over the heap, which the
 *  garbage collector would have to move with every command. */
interface Remembered {
  readonly account: string;
  readonly holds: OpenHolds | null;
  readonly counters: LoadedBook["counters"] | null;
}

/** The books of the accounts that one lane met last, as its own commits left them. They are only ever a guess: what is
 *  decided on one is written on the condition that the account's row still has the same number, so that a book which
 *  another process has overtaken costs a second try and can do no harm.
 *  Two generations of maps instead of a list by age: no work at all for a look-up that hits. */
export class KnownBooks {
  readonly #limit: number;
  readonly #inUse = new Map<AccountId, LoadedBook>();
  #young = new Map<AccountId, Remembered>();
  #old = new Map<AccountId, Remembered>();

  /** `limit`: how many books are remembered at most. */
  constructor(limit: number) {
    this.#limit = Math.ceil(limit / 2);
  }

  get(id: AccountId): LoadedBook | undefined {
    const book = this.#inUse.get(id);
    if (book !== undefined) return book;
    const remembered = this.#young.get(id) ?? this.#old.get(id);
    return remembered === undefined ? undefined : bookOf(id, remembered);
  }

  /** A plan moves this book on: until it is kept or forgotten, it stands as that plan will leave it. What earlier plans
   *  did under their keys goes: a repetition of it is found by the unique index. */
  use(book: LoadedBook): void {
    book.groups = NO_GROUPS;
    this.#inUse.set(book.account.id, book);
  }

  /** What was done to the book has been committed, and no other plan uses it. */
  keep(book: LoadedBook): void {
    const { account, holds, counters } = book;
    this.#inUse.delete(account.id);
    if (holds.size > HOLDS_LIMIT) return this.forget(account.id);
    if (this.#young.size >= this.#limit) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(account.id, {
      account: accountToText(account),
      holds: holds.size === 0 ? null : holds,
      counters: counters.size === 0 ? null : counters,
    });
  }

  forget(id: AccountId): void {
    this.#inUse.delete(id);
    this.#young.delete(id);
    this.#old.delete(id);
  }

  clear(): void {
    this.#inUse.clear();
    this.#young.clear();
    this.#old.clear();
  }
}

function bookOf(id: AccountId, { account, holds, counters }: Remembered): LoadedBook {
  return {
    account: accountFromText(id, account),
    holds: holds ?? new OpenHolds(),
    groups: NO_GROUPS,
    counters: counters ?? new Map(),
  };
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
