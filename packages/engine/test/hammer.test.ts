import type { AccountId, GrantId, HoldId } from "@bursar/contract/ids";
import { createTestDatabase } from "@bursar/database/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Command } from "../src/ledger/command.ts";
import { verifyLedger } from "../src/ledger/verify.ts";
import { command, isLong, openTestLedger, SECOND, SEED, type TestLedger } from "./ledger-on-test-database.ts";
import { systemClock } from "./load-worker.ts";
import { startWorker } from "./workers.ts";

const COMMANDS = isLong ? 60_000 : 4000;
const PROCESSES = 2;

let test: TestLedger;
let accountIds: AccountId[];
const seed = SEED ?? Math.floor(Math.random() * 2 ** 31);

beforeAll(async () => {
  test = await openTestLedger(createTestDatabase, { clock: systemClock });
  accountIds = await Promise.all(["x", "y", "z"].map((name) => test.createAccount(name as AccountId)));
});
afterAll(() => test.close());

it("two processes on three hot accounts: books whole, nothing overdrawn, every answer true, and in order", async () => {
  console.log(`hammer: BURSAR_SEED=${seed}`);
  const plans = Array.from({ length: PROCESSES }, (_, index) => planOf(`p${index}`, seed + index));
  const workers = plans.map((commands) => startWorker({ url: test.url, commands, lanes: 2, clients: 48 }));
  expect(await Promise.all(workers.map(({ ended }) => ended))).toEqual([0, 0]);
  const answers = workers.flatMap(({ answers }, index) =>
    answers.map((answer) => ({ ...answer, command: plans[index]![answer.index]! })),
  );
  expect(answers).toHaveLength(PROCESSES * COMMANDS);
  const done = answers.flatMap((answer) =>
    answer.outcome.kind === "done" ? [{ ...answer, ...answer.outcome }] : [],
  );
  for (const kind of ["grant", "spend", "hold", "settle", "release"])
    expect(done.filter((answer) => answer.command.kind === kind).length, kind).toBeGreaterThan(20);

  // 1 to 5.
  const verification = await verifyLedger(test.connect);
  expect(verification.problems).toEqual([]);

  // Every acknowledged command is one group, and nothing else is there but what time brought about.
  const { rows } = await test.pool.query<{
    account_id: AccountId;
    groups: bigint;
    charged: bigint;
    granted: bigint;
  }>(
    `select account_id, count(key) filter (where by <> 'system:expiry') as groups,
       coalesce(sum(amount) filter (where kind in ('spend', 'settle', 'overrun')), 0)::int8 as charged,
       coalesce(sum(amount) filter (where kind = 'grant'), 0)::int8 as granted
     from entries group by 1`,
  );
  for (const row of rows) {
    const own = done.filter((answer) => answer.command.accountId === row.account_id);
    expect(row.groups).toBe(BigInt(own.filter((answer) => !endsGrant(answer.command)).length));
    expect(row.charged).toBe(sum(own.map(({ result }) => result.charged)));
    expect(row.granted).toBe(sum(own.filter(isGrant).map(({ result }) => result.amount)));
  }

  // No account was overdrawn: nobody here settles for more than was held.
  const negative = await test.pool.query(
    "select from entries where available_after < 0 or held_after < 0 or owed_after <> 0",
  );
  expect(negative.rowCount).toBe(0);

  // Both processes ask some commands under the same ids: at most one of them does it, the others hear the same.
  const byId = Map.groupBy(answers, (answer) => `${answer.command.accountId} ${idOf(answer.command)}`);
  for (const [id, group] of byId) {
    const results = group.flatMap(({ outcome }) => ("result" in outcome ? [outcome] : []));
    expect(results.filter(({ kind }) => kind === "done").length, id).toBeLessThanOrEqual(1);
    // A grant's expiry may have come about before anybody asked for it: then nobody has done it.
    if (results.length > 0 && !endsGrant(group[0]!.command))
      expect(
        results.some(({ kind }) => kind === "done"),
        id,
      ).toBe(true);
    for (const outcome of results) expect(outcome.result.seq, id).toBe(results[0]!.result.seq);
  }
  expect(answers.filter(({ outcome }) => outcome.kind === "duplicate").length).toBeGreaterThan(20);

  // 7: answered before asked means a lower number.
  for (const accountId of accountIds)
    expectInOrder(done.filter((answer) => answer.command.accountId === accountId));
}, 120_000);

interface Timed {
  readonly asked: bigint;
  readonly answered: bigint;
  readonly result: { readonly seq: bigint };
}

function expectInOrder(answers: readonly Timed[]): void {
  const byAnswer = answers.toSorted((a, b) => (a.answered < b.answered ? -1 : 1));
  let highest = 0n;
  let passed = 0;
  for (const { asked, result } of answers.toSorted((a, b) => (a.asked < b.asked ? -1 : 1))) {
    while (passed < byAnswer.length && byAnswer[passed]!.answered < asked) {
      const { seq } = byAnswer[passed++]!.result;
      if (seq > highest) highest = seq;
    }
    expect(result.seq).toBeGreaterThan(highest);
  }
}

/** Commands that fit each other: a settlement names a hold made some hundred commands earlier. */
function planOf(name: string, planSeed: number): Command[] {
  const random = mulberry32(planSeed);
  const below = (limit: number) => Math.floor(random() * limit);
  const commands: Command[] = [];
  const holds: { accountId: AccountId; id: string; amount: bigint }[] = [];
  while (commands.length < COMMANDS) {
    const index = commands.length;
    const accountId = accountIds[below(accountIds.length)]!;
    const add = (loose: Parameters<typeof command>[1]) => commands.push(command(accountId, loose));
    const amount = BigInt(1 + below(20));
    const roll = below(100);
    const expiresAt = (systemClock.now() + below(4) * SECOND + 10_000_000) as never;
    if (roll < 8)
      add({
        kind: "grant",
        id: `${name}_${index}`,
        amount: amount * 4n,
        expiresAt: roll < 3 ? expiresAt : null,
      });
    else if (roll < 10)
      add({
        kind: "grant",
        id: `${name}_${index}`,
        amount,
        expiresAt: systemClock.now() + SECOND / 2 + below(2 * SECOND),
      });
    else if (roll < 40) add({ kind: "spend", id: `${name}_${index}`, amount });
    else if (roll < 48) add({ kind: "spend", id: `shared_${below(COMMANDS)}`, amount: 3n });
    else if (roll < 52 && index > 0) commands.push(commands[Math.max(0, index - 1 - below(60))]!);
    else if (roll < 76) {
      holds.push({ accountId, id: `${name}_${index}`, amount });
      add({ kind: "hold", id: `${name}_${index}`, amount, expiresAt: systemClock.now() });
    } else if (holds.length > 40) {
      const [hold] = holds.splice(0, 1);
      const { id, amount: held } = hold!;
      const closing =
        roll < 82
          ? ({ kind: "release", holdId: id as HoldId } as const)
          : roll < 86
            ? ({ kind: "expire", holdId: id as HoldId } as const)
            : ({ kind: "settle", holdId: id as HoldId, amount: BigInt(below(Number(held) + 1)) } as const);
      commands.push(command(hold!.accountId, closing));
    } else add({ kind: "expire", grantId: `${name}_${below(index + 1)}` as GrantId });
  }
  return commands;
}

/** What the ledger would have done by itself, so its entry is nobody's. */
const endsGrant = (asked: Command) => asked.kind === "expire" && asked.grantId !== undefined;
const isGrant = (answer: { command: Command }) => answer.command.kind === "grant";

function idOf(command: Command): string {
  if (command.kind === "expire") return `expire ${command.holdId ?? command.grantId}`;
  return "holdId" in command && command.kind !== "extend"
    ? `close ${command.holdId}`
    : (command as { id: string }).id;
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, amount) => total + amount, 0n);
}

/** A small generator of pseudo-random numbers, so that a seed repeats a plan. */
function mulberry32(state: number): () => number {
  let a = state;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
