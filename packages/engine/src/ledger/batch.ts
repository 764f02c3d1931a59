import type { AccountId, HoldId } from "@bursar/contract/ids";
import { addSeconds, type Instant } from "@bursar/contract/instant";
import type { Account, Hold } from "./account.ts";
import { type Changes, counterName } from "./book.ts";
import { revokedCounter, windowStart } from "./caps.ts";
import { chainEntries } from "./chain.ts";
import type { Command, Outcome, Refusal, Result, UsageRecord } from "./command.ts";
import { decide } from "./decide.ts";
import { usableBeside } from "./decide-spend.ts";
import { type Entry, keyOf } from "./entry.ts";
import { EntryLines } from "./entry-lines.ts";
import { grantsToText } from "./grants-text.ts";
import { closingKey, holdsNamed, keyNameOf, keysToProbe } from "./key.ts";
import { addGroup, type LoadedBook, setCounter } from "./loaded-book.ts";
import { resultOf } from "./result.ts";
import type { Loaded, Named, NamedCounter, Wanted } from "./store-load.ts";
import type { BatchWrites, NewGrant, NewUsage } from "./store-write.ts";
import type { ChangedAccount } from "./store-write-accounts.ts";

/** What these commands name, each thing once, for one round of reading. */
export function wantedBy(commands: readonly Command[], now: Instant): Wanted {
  const accountIds = new Set<AccountId>();
  const keys = new Map<string, Named>();
  const holds = new Map<string, Named>();
  const counters = new Map<string, NamedCounter>();
  const keyIds = new Set<string>();
  for (const command of commands) {
    const { accountId } = command;
    accountIds.add(accountId);
    if (command.keyId !== undefined && usesCredits(command)) keyIds.add(command.keyId);
    for (const name of keysToProbe(command)) keys.set(`${accountId} ${name}`, [accountId, keyOf(name)]);
    for (const holdId of holdsNamed(command)) holds.set(`${accountId} ${holdId}`, [accountId, holdId]);
    for (const [id, start] of countersNamed(command, now)) {
      counters.set(`${accountId} ${counterName(id, start)}`, [accountId, id, start]);
    }
  }
  return {
    accountIds: [...accountIds].sort(),
    keys: [...keys.values()],
    holds: [...holds.values()],
    counters: [...counters.values()],
    keyIds: [...keyIds],
  };
}

/** Longer than any wait for a lock. */
const PATIENCE_SECONDS = 60;

/** The counters a command reads. The time that counts is taken once the locks are held: midnight may pass until then. */
function countersNamed(command: Command, now: Instant): [id: string, windowStart: string][] {
  if (command.kind === "revoke") return [[revokedCounter(command.grantId), "total"]];
  const caps = ("caps" in command && command.caps) || [];
  return caps.flatMap((cap) => [
    [cap.id, windowStart(cap, now)] as [string, string],
    [cap.id, windowStart(cap, addSeconds(now, PATIENCE_SECONDS))] as [string, string],
  ]);
}

/** What a revoked key may not do any more. Closing its open holds it may: the work is done. */
export function usesCredits(command: Command): boolean {
  return command.kind === "hold" || command.kind === "extend" || command.kind === "spend";
}

/** A hold that the batch has opened, changed or closed (null). */
interface TouchedHold {
  readonly accountId: AccountId;
  readonly id: HoldId;
  readonly hold: Hold | null;
  /** Opened by this very batch: there is no row of it yet. */
  readonly isNew: boolean;
}

function isOpen(touched: TouchedHold): touched is TouchedHold & { readonly hold: Hold } {
  return touched.hold !== null;
}

/** Decides the commands in order of arrival, each on what its predecessors left, and gathers what is to be written.
 *  Refused commands change nothing and spoil nothing. */
export class Batch {
  readonly #books: Map<AccountId, LoadedBook>;
  readonly #endedKeys: Loaded["endedKeys"];
  readonly #now: Instant;
  readonly #before = new Map<AccountId, Account>();
  readonly #entryLines = new EntryLines();
  readonly #grants: NewGrant[] = [];
  readonly #endedGrants: [AccountId, string][] = [];
  readonly #holds = new Map<string, TouchedHold>();
  readonly #counters = new Map<string, [AccountId, string, string, bigint]>();
  readonly #effects: BatchWrites["effects"][number][] = [];
  readonly #usage: NewUsage[] = [];

  constructor(loaded: Loaded, now: Instant) {
    this.#books = loaded.books;
    this.#endedKeys = loaded.endedKeys;
    this.#now = now;
  }

  decide(command: Command): Outcome {
    const book = this.#books.get(command.accountId);
    if (book === undefined) return { kind: "account_unknown", accountId: command.accountId };
    const decision = decide(book, command, this.#now);
    const ended = decision.kind === "duplicate" ? null : this.#endOfKey(command);
    if (ended !== null) return ended;
    switch (decision.kind) {
      case "accept":
        return this.#answer("done", book, command, this.#accept(book, command, decision.changes));
      case "duplicate":
        return this.#answer("duplicate", book, command, decision.known.result);
      case "refuse":
        return decision.refusal;
    }
  }

  /** A repeated hold may be closed by now. */
  #answer(kind: "done" | "duplicate", book: LoadedBook, command: Command, result: Result): Outcome {
    if (command.kind !== "hold") return { kind, result };
    const isClosed = kind === "duplicate" && book.groups?.has(keyOf(closingKey(command.id))) === true;
    const own = isClosed ? 0n : result.amount;
    return { kind, result, usable: own + usableBeside(book, command, this.#now) };
  }

  #endOfKey(command: Command): Refusal | null {
    const { keyId } = command;
    const key = keyId === undefined || !usesCredits(command) ? undefined : this.#endedKeys.get(keyId);
    if (keyId === undefined || key === undefined) return null;
    if (key.revoked) return { kind: "key_revoked", keyId };
    return key.expiresAt !== null && key.expiresAt <= this.#now ? { kind: "key_expired", keyId } : null;
  }

  get isEmpty(): boolean {
    return this.#entryLines.length === 0;
  }

  writes(): BatchWrites {
    const holds = [...this.#holds.values()];
    return {
      accounts: this.#changedAccounts(),
      entryLines: this.#entryLines.bytes,
      grants: this.#grants,
      endedGrants: this.#endedGrants,
      newHolds: holds.filter(isOpen).filter(({ isNew }) => isNew),
      changedHolds: holds.filter(isOpen).filter(({ isNew }) => !isNew),
      closedHolds: holds.filter((touched) => !isOpen(touched) && !touched.isNew),
      counters: [...this.#counters.values()],
      effects: this.#effects,
      usage: this.#usage,
    };
  }

  #changedAccounts(): ChangedAccount[] {
    const changed: ChangedAccount[] = [];
    for (const [id, before] of this.#before) {
      const book = this.#books.get(id)!;
      book.grantsText ??= grantsToText(book.account.grants);
      changed.push({ before, after: book.account, grantsAfter: book.grantsText });
    }
    return changed;
  }

  /** Takes the changes into the book, so that the next command sees them. */
  #accept(book: LoadedBook, command: Command, changes: Changes): Result {
    const before = book.account;
    const entries = this.#chain(before, command, changes);
    const last = entries.at(-1)!;
    book.account = { ...changes.account, seq: last.seq, hash: last.hash };
    book.grantsText = null;
    if (!this.#before.has(before.id)) this.#before.set(before.id, before);
    this.#takeHolds(book, command, changes);
    this.#takeCounters(book, changes);
    this.#takeGrants(before.id, command, changes);
    for (const grantId of changes.endedGrants) this.#endedGrants.push([before.id, grantId]);
    for (const effect of changes.effects) this.#effects.push({ accountId: before.id, effect, at: this.#now });
    return this.#takeGroups(book, entries, changes, keyNameOf(command));
  }

  /** All lines of a command or none: one that fails half-way must not leave entries behind. */
  #chain(before: Account, command: Command, { groups }: Changes): Entry[] {
    const lines = this.#entryLines;
    const { length } = lines;
    try {
      return chainEntries(before, groups, command, this.#now, lines);
    } catch (error) {
      lines.cutTo(length);
      throw error;
    }
  }

  #takeHolds(book: LoadedBook, command: Command, changes: Changes): void {
    for (const [id, hold] of changes.holds) {
      if (hold === null) book.holds.delete(id);
      else book.holds.put(hold);
      const opens = command.kind === "hold" && command.id === id;
      book.openHolds += hold === null ? -1 : Number(opens);
      const key = `${book.account.id} ${id}`;
      const isNew = this.#holds.get(key)?.isNew ?? opens;
      this.#holds.set(key, { accountId: book.account.id, id, hold, isNew });
    }
  }

  #takeCounters(book: LoadedBook, changes: Changes): void {
    for (const [name, by] of changes.counters) {
      const used = book.counters.get(name);
      if (used !== undefined) setCounter(book, name, used + by);
      const key = `${book.account.id} ${name}`;
      const [capId, start] = name.split(" ") as [string, string];
      const soFar = this.#counters.get(key)?.[3] ?? 0n;
      this.#counters.set(key, [book.account.id, capId, start, soFar + by]);
    }
  }

  #takeGrants(accountId: AccountId, command: Command, changes: Changes): void {
    for (const group of changes.groups) {
      for (const { grant, amount } of group.movements) {
        if (grant === null) continue;
        const reference = "reference" in command ? (command.reference ?? null) : null;
        const notes = command.note ?? null;
        this.#grants.push({ accountId, grant, granted: amount, allocatedBy: command.by, notes, reference });
      }
    }
  }

  /** Registers the groups under their keys, for repetitions within this batch, and finds the command's own. */
  #takeGroups(book: LoadedBook, entries: readonly Entry[], changes: Changes, ownKey: string): Result {
    let start = 0;
    let result: Result | undefined;
    for (const group of changes.groups) {
      const rows = entries.slice(start, start + group.movements.length);
      start += group.movements.length;
      const leader = rows[0]!;
      const known = { fingerprint: leader.fingerprint, leader: leader.kind, result: resultOf(rows) };
      addGroup(book, leader.key!, known);
      if (group.key === ownKey) result = known.result;
      if (group.usage !== null) this.#takeUsage(leader, known.result.charged, group.usage);
    }
    if (result === undefined) throw new Error("an accepted command writes at least one entry");
    return result;
  }

  #takeUsage(entry: Entry, amount: bigint, usage: UsageRecord): void {
    this.#usage.push({ entry, amount, usage });
  }
}
