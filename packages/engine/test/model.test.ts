import { inspect } from "node:util";
import type { AccountId } from "@bursar/contract/ids";
import { createTestDatabase } from "@bursar/database/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Account } from "../src/ledger/account.ts";
import { Batch } from "../src/ledger/batch.ts";
import type { Command, Outcome } from "../src/ledger/command.ts";
import { GENESIS_HASH } from "../src/ledger/entry.ts";
import { type LoadedBook, newBook } from "../src/ledger/loaded-book.ts";
import { OpenHolds } from "../src/ledger/open-holds.ts";
import { readAccount } from "../src/ledger/store-load.ts";
import { verifyLedger } from "../src/ledger/verify.ts";
import { isLong, ledgerOn, openTestLedger, SEED } from "./ledger-on-test-database.ts";
import { ALL_KINDS, type Op, op, Play } from "./random-commands.ts";
import type { ModelAccount } from "./reference-model.ts";

const RUNS = isLong ? 20_000 : 1500;
const DATABASE_RUNS = isLong ? 600 : 150;
const COMMANDS = 70;

const SETTINGS = { ...(SEED === undefined ? {} : { seed: SEED }), endOnFailure: false };

describe("the deciding core does what the reference model does", () => {
  it("for random commands: every outcome, and the account after each", () => {
    const seen = new Map<string, number>();
    const property = fc.property(fc.array(op, { minLength: 10, maxLength: COMMANDS, size: "max" }), (ops) => {
      const play = new Play("acct");
      const books = new Map(play.accountIds.map((id) => [id, emptyBook(id)]));
      for (const command of ops.flatMap((next) => lazily(play, next, decideOne))) void command;

      function decideOne(command: Command): void {
        const model = play.models.get(command.accountId)!;
        const expected = model.submit(command, play.now);
        const outcome = new Batch({ books, endedKeys: new Map() }, play.now).decide(command);
        compareOutcome(command, outcome, expected, model);
        compareAccount(books.get(command.accountId)!.account, model);
        const what = `${command.kind} ${outcome.kind}`;
        seen.set(what, (seen.get(what) ?? 0) + 1);
      }
    });
    fc.assert(property, { ...SETTINGS, numRuns: RUNS });
    if (process.env["BURSAR_SHOW"])
      console.log(Object.fromEntries([...seen].toSorted(([a], [b]) => a.localeCompare(b))));
    // A generator that stops reaching a case would prove nothing about it.
    for (const kind of ALL_KINDS) expect(seen.get(`${kind} done`), `${kind} done`).toBeGreaterThan(10);
    for (const outcome of REACHED) expect([...seen.keys()].join(), outcome).toContain(` ${outcome}`);
  }, 120_000);
});

const REACHED: readonly Outcome["kind"][] = [
  ...(["duplicate", "amount_out_of_range", "key_conflict", "hold_unknown", "hold_closed"] as const),
  ...(["hold_not_due", "grant_unknown", "grant_not_due", "account_frozen", "in_debt"] as const),
  ...(["cap_exceeded", "parent_exhausted", "insufficient_credits"] as const),
];

describe("the ledger on Postgres does what the reference model does", () => {
  it("for random commands in random bursts: every outcome, the accounts after each burst, and verify", async () => {
    // Two ledgers take turns, as two processes do: what each remembers is now right, now overtaken by the other.
    const settings = { planAheadFrom: 1 };
    const ledger = await openTestLedger(createTestDatabase, { settings });
    const other = ledgerOn(ledger.url, { settings, clock: ledger.clock });
    let run = 0;
    const burst = fc.array(op, { maxLength: 14, size: "max" });
    const property = fc.asyncProperty(
      fc.array(burst, { minLength: 3, maxLength: 12, size: "max" }),
      async (bursts) => {
        const play = new Play(`acct_${++run}`);
        for (const id of play.accountIds) await ledger.createAccount(id);
        for (const [turn, ops] of bursts.entries())
          await playBurst(turn % 4 === 3 ? { ...ledger, ledger: other.ledger } : ledger, play, ops);
      },
    );
    try {
      await fc.assert(property, { ...SETTINGS, numRuns: DATABASE_RUNS });
      const verification = await verifyLedger(ledger.connect);
      expect(verification.problems).toEqual([]);
      expect(verification.entries).toBeGreaterThan(DATABASE_RUNS * 10);
    } finally {
      await other.close();
      await ledger.close();
    }
  }, 120_000);
});

/** Time stands still within a burst, so that the answers do not depend on how it falls into batches. */
async function playBurst(
  ledger: Awaited<ReturnType<typeof openTestLedger>>,
  play: Play,
  ops: readonly Op[],
): Promise<void> {
  for (const next of ops.filter(({ kind }) => kind === "time")) play.commandsOf(next);
  ledger.clock.set(play.now);
  const asked: { command: Command; expected: Outcome; answer: Promise<Outcome> }[] = [];
  const ask = (command: Command) => {
    const expected = play.models.get(command.accountId)!.submit(command, play.now);
    asked.push({ command, expected, answer: ledger.ledger.submit(command) });
  };
  for (const next of ops.filter(({ kind }) => kind !== "time")) lazily(play, next, ask);
  const outcomes = await Promise.all(asked.map(({ answer }) => answer));
  for (const [index, { command, expected }] of asked.entries()) {
    compareOutcome(command, outcomes[index]!, expected, play.models.get(command.accountId)!);
  }
  for (const id of play.accountIds)
    compareAccount((await readAccount(ledger.pool, id))!, play.models.get(id)!);
}

/** An op may name what the commands before it have made, so commands are made one after the other. */
function lazily(play: Play, next: Op, take: (command: Command) => void): Command[] {
  const commands = play.commandsOf(next);
  for (const command of commands) take(command);
  return commands;
}

function compareOutcome(command: Command, actual: Outcome, expected: Outcome, model: ModelAccount): void {
  if (inspect(actual, { sorted: true }) === inspect(expected, { sorted: true })) return;
  const facts = inspect({ command, actual, expected, state: model.state }, { depth: 6, colors: false });
  throw new Error(`the ledger and the model disagree about a command: ${facts}`);
}

function compareAccount(account: Account, model: ModelAccount): void {
  const actual = {
    ...{ available: account.available, held: account.held, owed: account.owed, frozen: account.frozen },
    ...{
      seq: account.seq,
      grants: account.grants.map(({ id, remaining, held }) => ({ id, remaining, held })),
    },
  };
  const { owed, frozen, seq } = model.state;
  const grants = model
    .inSpendingOrder()
    .map(({ id, remaining }) => ({ id, remaining, held: model.heldOf(id) }))
    .filter(({ remaining, held }) => remaining + held > 0n);
  const expected = { available: model.available(), held: model.held(), owed, frozen, seq, grants };
  if (inspect(actual) !== inspect(expected)) expect(actual).toEqual(expected);
}

function emptyBook(id: AccountId): LoadedBook {
  const buckets = { available: 0n, held: 0n, owed: 0n, issued: 0n, spent: 0n, expired: 0n, revoked: 0n };
  const account = {
    id,
    ...buckets,
    frozen: false,
    grants: [],
    seq: 0n,
    hash: GENESIS_HASH,
    alertBelow: null,
    topupBelow: null,
  };
  return newBook(account, new OpenHolds(), new AllCounters());
}

/** Nothing was read from a database, so what is not counted here has counted nothing. */
class AllCounters extends Map<string, bigint> {
  override get(name: string): bigint {
    return super.get(name) ?? 0n;
  }
}
