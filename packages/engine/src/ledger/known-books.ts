import type { AccountId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import { counterName } from "./book.ts";
import { windowStart } from "./caps.ts";
import type { Command } from "./command.ts";
import { type LoadedBook, NO_GROUPS } from "./store-load.ts";

/** An account with more open holds than this is read anew rather than remembered. */
const HOLDS_LIMIT = 10_000;

/** The books of the accounts that one lane met last, as its own commits left them. They are only ever a guess: what is
 *  decided on one is written on the condition that the account's row still has the same number, so that a book which
 *  another process has overtaken costs a second try and can do no harm.
 *  Two generations of maps instead of a list by age: no work at all for a look-up that hits. */
export class KnownBooks {
  readonly #limit: number;
  #young = new Map<AccountId, LoadedBook>();
  #old = new Map<AccountId, LoadedBook>();

  /** `limit`: how many books are remembered at most. */
  constructor(limit: number) {
    this.#limit = Math.ceil(limit / 2);
  }

  get(id: AccountId): LoadedBook | undefined {
    return this.#young.get(id) ?? this.#old.get(id);
  }

  /** Takes a book out: it is kept again only after what was done to it has been committed. */
  forget(id: AccountId): void {
    this.#young.delete(id);
    this.#old.delete(id);
  }

  keep(book: LoadedBook): void {
    if (book.holds.size > HOLDS_LIMIT) return this.forget(book.account.id);
    book.groups = NO_GROUPS;
    const { id } = book.account;
    if (this.#young.get(id) === book) return;
    if (this.#young.size >= this.#limit) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(id, book);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
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

function knowsParent(book: LoadedBook, parentId: string | null | undefined): boolean {
  return parentId == null || book.holds.get(parentId as never) !== undefined;
}

function knowsCaps(
  book: LoadedBook,
  command: Extract<Command, { kind: "spend" | "hold" | "extend" }>,
  now: Instant,
) {
  return (command.caps ?? []).every((cap) => book.counters.has(counterName(cap.id, windowStart(cap, now))));
}
