import type { AccountId, HoldId } from "@bursar/contract/ids";
import { createTestDatabase } from "@bursar/database/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Command } from "../src/ledger/command.ts";
import { verifyLedger } from "../src/ledger/verify.ts";
import { endRun, holdIdOfRun, readRun, readRunWithHolds } from "../src/run/run.ts";
import { command, openTestLedger, type TestLedger } from "./ledger-on-test-database.ts";
import { systemClock } from "./load-worker.ts";
import { startWorker } from "./workers.ts";

let test: TestLedger;
beforeAll(async () => {
  test = await openTestLedger(createTestDatabase, { clock: systemClock });
});
afterAll(() => test.close());

const PROCESSES = 4;
const CHILDREN = 250;
const BUDGET = 100_000n;
/** Twice as much as there is, in all. */
const EACH = 200n;

/** Holds of one process: every fifth stands below another of its holds, and most are settled at less than they held. */
function planOf(accountId: AccountId, name: string): Command[] {
  return Array.from({ length: CHILDREN }, (_, index) => {
    const parentId = index % 5 === 4 ? `${name}-${index - 4}` : holdIdOfRun("tree");
    return command(accountId, {
      kind: "hold",
      id: `${name}-${index}`,
      parentId,
      amount: index % 5 === 4 ? 10n : EACH,
      expiresAt: null,
    });
  });
}

it("a tree of a thousand holds from four processes never goes above the run's budget", async () => {
  const accountId = await test.createAccount();
  const reader = { accountId, by: "test" };
  const submit = (loose: Parameters<typeof command>[1]) => test.ledger.submit(command(accountId, loose));
  await submit({ kind: "grant", id: "g", amount: 10n * BUDGET });
  await submit({ kind: "hold", id: holdIdOfRun("tree"), amount: BUDGET });
  const plans = Array.from({ length: PROCESSES }, (_, index) => planOf(accountId, `p${index}`));
  const workers = plans.map((commands) => startWorker({ url: test.url, commands, lanes: 1, clients: 20 }));

  // Meanwhile: the parts are always the whole, and nothing is below zero.
  let isOver = false;
  const ends = Promise.all(workers.map(({ ended }) => ended)).finally(() => {
    isOver = true;
  });
  let looks = 0;
  while (!isOver) {
    const { spent, held, left, budget } = (await readRun(test, "tree", reader))!;
    expect([budget, spent, held + left]).toEqual([BUDGET, 0n, BUDGET]);
    expect(left).toBeGreaterThanOrEqual(0n);
    looks++;
  }
  expect(await ends).toEqual(Array(PROCESSES).fill(0));
  expect(looks).toBeGreaterThan(3);

  const answers = workers.flatMap(({ answers }, index) =>
    answers.map(({ index: at, outcome }) => ({ asked: plans[index]![at]!, outcome })),
  );
  expect(answers).toHaveLength(PROCESSES * CHILDREN);
  const held = answers.filter(({ outcome }) => outcome.kind === "done");
  const others = new Set(answers.map(({ outcome }) => outcome.kind));
  expect([...others].toSorted()).toEqual(["done", "hold_unknown", "parent_exhausted"]);
  const direct = held.filter(
    ({ asked }) => (asked as { parentId?: string }).parentId === holdIdOfRun("tree"),
  );
  expect(BigInt(direct.length) * EACH).toBe(BUDGET);

  // Half of them settle at all they have, from all processes at once; then the run is ended over the rest.
  const closing = direct
    .slice(0, 200)
    .map(({ asked }) =>
      command(accountId, { kind: "settle", holdId: (asked as { id: HoldId }).id, amount: EACH - 10n }),
    );
  const shares = Array.from({ length: PROCESSES }, (_, share) =>
    closing.filter((_, index) => index % PROCESSES === share),
  );
  const settlers = shares.map((commands) => startWorker({ url: test.url, commands, lanes: 1, clients: 20 }));
  expect(await Promise.all(settlers.map(({ ended }) => ended))).toEqual(Array(PROCESSES).fill(0));
  const before = (await readRun(test, "tree", reader))!;
  expect(before.spent).toBe(200n * (EACH - 10n));
  const ended = await endRun(test, { ...reader, id: "tree" });
  expect(ended).toMatchObject({ state: "ended", held: 0n, left: 0n, children: 0, spent: before.spent });
  expect(await endRun(test, { accountId, id: "tree", by: "another" })).toEqual(ended);
  const { rows } = await test.pool.query(
    "select available, held, spent, (select count(*)::int4 from holds h where h.account_id = a.account_id) as open from accounts a where account_id = $1",
    [accountId],
  );
  expect(rows[0]).toEqual({ available: 10n * BUDGET - before.spent, held: 0n, spent: before.spent, open: 0 });
  expect((await verifyLedger(test.connect)).problems).toEqual([]);
});

it("a run that is nobody's is no run", async () => {
  const accountId = await test.createAccount();
  const reader = { accountId, by: "test" };
  expect(await readRun(test, "none", reader)).toBeNull();
  expect(await endRun(test, { ...reader, id: "none" })).toBeNull();
});

it("a run and its holds are of one moment, while holds come and go", async () => {
  const accountId = await test.createAccount();
  const submit = (loose: Parameters<typeof command>[1]) => test.ledger.submit(command(accountId, loose));
  await submit({ kind: "grant", id: "g", amount: 1000n });
  await submit({ kind: "hold", id: holdIdOfRun("busy"), amount: 1000n });
  let isOver = false;
  const working = (async () => {
    for (let index = 0; !isOver; index++) {
      await submit({ kind: "hold", id: `h${index}`, parentId: holdIdOfRun("busy"), amount: 10n });
      await submit({ kind: "release", holdId: `h${index}` });
    }
  })();
  try {
    for (let look = 0; look < 200; look++) {
      const found = await readRunWithHolds(test, "busy", { accountId, by: "test" });
      const held = found?.holds.reduce((sum, { amount }) => sum + amount, 0n);
      expect([found?.holds.length, held]).toEqual([found?.run.children, found?.run.held]);
    }
  } finally {
    isOver = true;
    await working;
  }
});
