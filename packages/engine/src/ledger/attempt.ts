import type { AccountId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type pg from "pg";
import type { Clock } from "../clock/clock.ts";
import { Batch, usesCredits, wantedBy } from "./batch.ts";
import type { Command, Outcome } from "./command.ts";
import { type KnownBooks, tellsAllAbout } from "./known-books.ts";
import { type LoadedBook, loadBooks } from "./store-load.ts";
import { writeBatch, writeIfCurrent } from "./store-write.ts";

/** Thrown to the one caller whose command the database would not take. A bug, never an expected outcome. */
export class CommandFailed extends Error {
  override readonly name = "CommandFailed";
}

export interface Attempted {
  readonly command: Command;
  /** An attempt has decided to do it, and the commit's answer was lost: a duplicate then is its own doing. */
  attempted: boolean;
}

export interface AttemptDeps {
  readonly client: pg.Client;
  readonly clock: Clock;
  readonly known: KnownBooks;
}

export type Answer = Outcome | CommandFailed;

/** Decides what memory tells enough about, and writes it in one round trip, on the condition that memory was right.
 *  Only a yes counts: it is proven by the write. Whatever else comes out (a no, a repetition) and everything after it
 *  on that account is left, as null, to be read first. So are all commands of an account where one needs reading:
 *  commands on one account keep their order.
 *  Outcomes: the answers; "stale" when memory was wrong, and then nothing was done. */
export async function attemptFromMemory(
  deps: AttemptDeps,
  waiting: readonly Attempted[],
): Promise<(Answer | null)[] | "stale"> {
  const now = deps.clock.now();
  const books = knownBooks(deps.known, waiting, now);
  const answers = new Array<Answer | null>(waiting.length).fill(null);
  if (books.size === 0) return answers;
  for (const id of books.keys()) deps.known.forget(id);
  const batch = new Batch({ books, endedKeys: new Map() }, now);
  const keyIds = new Set<string>();
  const leftToRead = new Set<AccountId>();
  for (const [index, { command }] of waiting.entries()) {
    const { accountId, keyId } = command;
    if (!books.has(accountId) || leftToRead.has(accountId)) continue;
    const answer = decideOrFail(batch, command);
    if (!isDone(answer)) leftToRead.add(accountId);
    else {
      answers[index] = answer;
      if (keyId !== undefined && usesCredits(command)) keyIds.add(keyId);
    }
  }
  if (!batch.isEmpty) {
    const before = waiting.map(({ attempted }) => attempted);
    mark(waiting, answers);
    const written = await writeIfCurrent(deps.client, batch.writes(), { keyIds: [...keyIds], now });
    if (written === "stale") {
      for (const [index, one] of waiting.entries()) one.attempted = before[index]!;
      return "stale";
    }
  }
  for (const book of books.values()) deps.known.keep(book);
  return answers;
}

/** Locks and reads the accounts, decides, and writes: two round trips, and never in vain. */
export async function attemptLocked(deps: AttemptDeps, waiting: readonly Attempted[]): Promise<Answer[]> {
  const commands = waiting.map(({ command }) => command);
  const loaded = await loadBooks(deps.client, wantedBy(commands, deps.clock.now()), deps.known);
  for (const id of loaded.books.keys()) deps.known.forget(id);
  // Taken once the locks are held: what expired while waiting for them has expired.
  const batch = new Batch(loaded, deps.clock.now());
  const answers = commands.map((command) => decideOrFail(batch, command));
  if (batch.isEmpty) await deps.client.query("rollback");
  else {
    mark(waiting, answers);
    await writeBatch(deps.client, batch.writes());
  }
  for (const book of loaded.books.values()) deps.known.keep(book);
  return answers;
}

/** The remembered books of the accounts about whose every command memory tells enough. */
function knownBooks(
  known: KnownBooks,
  waiting: readonly Attempted[],
  now: Instant,
): Map<AccountId, LoadedBook> {
  const books = new Map<AccountId, LoadedBook | null>();
  for (const { command } of waiting) {
    const { accountId } = command;
    const book = books.get(accountId) ?? (books.has(accountId) ? null : known.get(accountId));
    books.set(accountId, book != null && tellsAllAbout(book, command, now) ? book : null);
  }
  for (const [id, book] of books) if (book === null) books.delete(id);
  return books as Map<AccountId, LoadedBook>;
}

/** A command that cannot even be decided fails alone. It has changed nothing: the batch takes in only whole changes. */
function decideOrFail(batch: Batch, command: Command): Answer {
  try {
    return batch.decide(command);
  } catch (error) {
    return new CommandFailed("this command cannot be decided", { cause: error });
  }
}

function isDone(answer: Answer): boolean {
  return !(answer instanceof CommandFailed) && answer.kind === "done";
}

/** Before the write goes out: from here on its answer may be lost. */
function mark(waiting: readonly Attempted[], answers: readonly (Answer | null)[]): void {
  for (const [index, answer] of answers.entries())
    if (answer !== null && isDone(answer)) waiting[index]!.attempted = true;
}
