import type { AccountId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type pg from "pg";
import type { Clock } from "../clock/clock.ts";
import { Batch, usesCredits, wantedBy } from "./batch.ts";
import type { Command, Outcome } from "./command.ts";
import { type KnownBooks, tellsAllAbout } from "./known-books.ts";
import type { LoadedBook } from "./loaded-book.ts";
import { loadBooks } from "./store-load.ts";
import { type BatchWrites, type Reliance, writeBatch, writeIfCurrent } from "./store-write.ts";

/** Thrown to the one caller whose command the database would not take. A bug, never an expected outcome. */
export class CommandFailed extends Error {
  override readonly name = "CommandFailed";
}

export interface Attempted {
  readonly command: Command;
  /** An attempt has decided to do it, and the commit's answer was lost: a duplicate then is its own doing. */
  attempted: boolean;
}

export type Answer = Outcome | CommandFailed;

/** What can be done of a batch without reading anything: decided on remembered books, which already stand as they will
 *  after it, so that the next batch can be planned while this one is being written. */
export interface Plan<Waiting extends Attempted> {
  readonly done: readonly { readonly waiting: Waiting; readonly answer: Answer }[];
  /** To be read first: no answer can be given from memory. */
  readonly left: readonly Waiting[];
  readonly books: ReadonlyMap<AccountId, LoadedBook>;
  readonly writes: BatchWrites;
  readonly reliance: Reliance;
}

/** Decides what memory tells enough about. Only a yes counts, because the write proves it: whatever else comes out (a
 *  no, a repetition) is left, with everything after it on that account. So are all commands of an account of which one
 *  needs reading: commands on one account keep their order. Pure but for the books it moves on. */
export function planFromMemory<Waiting extends Attempted>(
  known: KnownBooks,
  waiting: readonly Waiting[],
  now: Instant,
): Plan<Waiting> {
  const books = tellingBooks(known, waiting, now);
  const batch = new Batch({ books, endedKeys: new Map() }, now);
  const done: { waiting: Waiting; answer: Answer }[] = [];
  const left: Waiting[] = [];
  const leftAccounts = new Set<AccountId>();
  const keyIds = new Set<string>();
  for (const one of waiting) {
    const { command } = one;
    const { accountId, keyId } = command;
    const isKnown = books.has(accountId) && !leftAccounts.has(accountId);
    const answer = isKnown ? decideOrFail(batch, command) : null;
    if (answer === null || !isDone(answer)) {
      leftAccounts.add(accountId);
      left.push(one);
      continue;
    }
    done.push({ waiting: one, answer });
    if (keyId !== undefined && usesCredits(command)) keyIds.add(keyId);
  }
  return { done, left, books, writes: batch.writes(), reliance: { keyIds: [...keyIds], now } };
}

/** Writes a plan in one round trip, on the condition that memory was right.
 *  Outcomes: committed; stale, and then nothing was done. Throws when the commit's answer is lost. */
export async function carryOut(
  client: pg.Client,
  { done, writes, reliance }: Plan<Attempted>,
  sending: "in turn" | "ahead",
): Promise<"committed" | "stale"> {
  const before = done.map(({ waiting }) => waiting.attempted);
  for (const { waiting } of done) waiting.attempted = true;
  const written = await writeIfCurrent(client, writes, reliance, sending);
  if (written === "stale")
    for (const [index, { waiting }] of done.entries()) waiting.attempted = before[index]!;
  return written;
}

/** Locks and reads the accounts, decides, and writes: two round trips, and never in vain. */
export async function attemptLocked(
  deps: { readonly client: pg.Client; readonly clock: Clock; readonly known: KnownBooks },
  waiting: readonly Attempted[],
): Promise<Answer[]> {
  const { client, clock, known } = deps;
  const commands = waiting.map(({ command }) => command);
  const loaded = await loadBooks(client, wantedBy(commands, clock.now()), known);
  // Kept again only after what is done to them has been committed.
  for (const id of loaded.books.keys()) known.forget(id);
  // Taken once the locks are held: what expired while waiting for them has expired.
  const batch = new Batch(loaded, clock.now());
  const answers = commands.map((command) => decideOrFail(batch, command));
  if (batch.isEmpty) await client.query("rollback");
  else {
    for (const [index, answer] of answers.entries()) if (isDone(answer)) waiting[index]!.attempted = true;
    await writeBatch(client, batch.writes());
  }
  for (const book of loaded.books.values()) known.keep(book);
  return answers;
}

/** The remembered books of the accounts about whose every command memory tells enough. */
function tellingBooks(
  known: KnownBooks,
  waiting: readonly Attempted[],
  now: Instant,
): Map<AccountId, LoadedBook> {
  const books = new Map<AccountId, LoadedBook>();
  const unknown = new Set<AccountId>();
  for (const { command } of waiting) {
    const { accountId } = command;
    if (unknown.has(accountId)) continue;
    const book = books.get(accountId) ?? known.get(accountId);
    if (book !== undefined && tellsAllAbout(book, command, now)) books.set(accountId, book);
    else unknown.add(accountId);
  }
  for (const id of unknown) books.delete(id);
  for (const book of books.values()) known.use(book);
  return books;
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
