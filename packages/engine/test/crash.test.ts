import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AccountId } from "@bursar/contract/ids";
import { startEmbeddedPostgres } from "@bursar/database/embedded";
import { migrate } from "@bursar/database/migrate";
import { createTestDatabase } from "@bursar/database/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Command, Outcome } from "../src/ledger/command.ts";
import { keyOf } from "../src/ledger/entry.ts";
import { LedgerUnavailable } from "../src/ledger/lane.ts";
import { verifyLedger } from "../src/ledger/verify.ts";
import { command, isLong, ledgerOn, openTestLedger, type TestLedger } from "./ledger-on-test-database.ts";
import { Proxy } from "./proxy.ts";
import { startWorker } from "./workers.ts";

type Ledger = Pick<TestLedger, "ledger" | "pool" | "createAccount" | "connect">;

const GRANTED = 1_000_000n;
/** As long as a caller of a real server waits. */
const HURRIED = { timeoutMilliseconds: 2000 };
/** Far less than anybody waits without limits of ours, also on a busy machine. */
const IN_TIME_MILLISECONDS = 10_000;
const ROUNDS = isLong ? 20 : 2;

describe("kill -9 of a process mid-load", () => {
  let test: TestLedger;
  beforeAll(async () => {
    test = await openTestLedger(createTestDatabase);
  });
  afterAll(() => test.close());

  it("keeps every acknowledged command once, and asking the others again gives one effect each", async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const accountIds = await accountsWithCredits(test, 3);
      const commands = spends(accountIds, 20_000);
      const killAfter = 300 + round * 157;
      const worker = startWorker({ url: test.url, commands, lanes: 2, clients: 64 }, (self) => {
        if (self.answers.length >= killAfter) self.process.kill("SIGKILL");
      });
      await worker.ended;
      const acknowledged = worker.answers.map(({ index }) => commands[index]!);
      expect(acknowledged.length).toBeGreaterThanOrEqual(killAfter);
      expect(acknowledged.length).toBeLessThan(commands.length);
      await expectEachOnce(test, acknowledged);
      // What was under way when it died: asked again, like everything after it, up to a point.
      await askAgain(test, commands.slice(0, acknowledged.length + 500), acknowledged);
    }
    expect((await verifyLedger(test.connect)).problems).toEqual([]);
  }, 60_000);
});

describe.runIf(process.platform === "linux")("kill -9 of Postgres mid-load", () => {
  it("keeps every acknowledged command once, and the ledger goes on by itself after the restart", async () => {
    const folder = await mkdtemp(join(tmpdir(), "bursar-crash-"));
    const dataDir = join(folder, "postgres");
    let postgres = await startEmbeddedPostgres({ dataDir, settings: { shared_buffers: "32MB" } });
    const { url } = postgres;
    await migrate({ url, directory: join(import.meta.dirname, "../migrations") });
    const ledger = ledgerOn(url, { settings: HURRIED });
    try {
      const accountIds = await accountsWithCredits(ledger, 3);
      const commands = spends(accountIds, 4000);
      const acknowledged: Command[] = [];
      let killed: Promise<void> | undefined;
      const outcomes = await Promise.allSettled(
        commands.map(async (asked, index) => {
          // Not all at once: some must come while it is down.
          for (let turn = 0; turn < index / 40; turn++) await new Promise((resolve) => setImmediate(resolve));
          const outcome = await ledger.ledger.submit(asked);
          expect(outcome.kind).toBe("done");
          acknowledged.push(asked);
          if (acknowledged.length >= 500) killed ??= killWithChildren(postgres.pid);
        }),
      );
      await killed;
      for (const outcome of outcomes)
        if (outcome.status === "rejected") expect(outcome.reason).toBeInstanceOf(LedgerUnavailable);
      expect(acknowledged.length).toBeGreaterThanOrEqual(500);
      expect(acknowledged.length).toBeLessThan(commands.length);
      await postgres.stop();
      postgres = await startEmbeddedPostgres({ dataDir, settings: { shared_buffers: "32MB" } });
      expect(postgres.url).toBe(url);
      await expectEachOnce(ledger, acknowledged);
      await askAgain(ledger, commands, acknowledged);
      expect((await verifyLedger(ledger.connect)).problems).toEqual([]);
    } finally {
      await ledger.close();
      await postgres.stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 20 });
    }
  }, 60_000);
});

describe("between the ledger and Postgres", () => {
  let test: TestLedger;
  beforeAll(async () => {
    test = await openTestLedger(createTestDatabase);
  });
  afterAll(() => test.close());

  async function behindProxy(settings = {}) {
    const { proxy, url } = await Proxy.before(test.url);
    const ledger = ledgerOn(url, { lanes: 1, settings });
    const [accountId] = await accountsWithCredits(test, 1);
    const close = async () => {
      await ledger.close();
      await proxy.close();
    };
    return { proxy, ledger: ledger.ledger, accountId: accountId!, close };
  }

  it("a lost answer to COMMIT is one effect, and the caller hears done", async () => {
    const { proxy, ledger, accountId, close } = await behindProxy();
    await ledger.submit(command(accountId, { kind: "spend", id: "before", amount: 1n }));
    proxy.loseCommits(2);
    const asked = [
      command(accountId, { kind: "spend", id: "s", amount: 10n }),
      command(accountId, { kind: "hold", id: "h", amount: 20n }),
      command(accountId, { kind: "settle", holdId: "h", amount: 15n }),
      command(accountId, { kind: "grant", id: "g2", amount: 5n }),
      command(accountId, { kind: "spend", id: "too-much", amount: GRANTED * 2n }),
      command(accountId, { kind: "spend", id: "s", amount: 10n }),
    ];
    const outcomes = await Promise.all(asked.map((next) => ledger.submit(next)));
    expect(proxy.lostCommits).toBe(1);
    expect(outcomes.map(({ kind }) => kind)).toEqual([
      ...["done", "done", "done", "done", "insufficient_credits", "duplicate"],
    ]);
    expect(outcomes[2]).toMatchObject({ result: { charged: 15n, released: 5n } });
    // The second loss: of a command alone in its batch.
    const alone = await ledger.submit(command(accountId, { kind: "spend", id: "alone", amount: 3n }));
    expect(proxy.lostCommits).toBe(2);
    expect(alone).toMatchObject({
      kind: "done",
      result: { charged: 3n, available: GRANTED - 1n - 10n - 15n + 5n - 3n },
    });
    await expectEachOnce(test, asked.slice(0, 4));
    await close();
    expect((await verifyLedger(test.connect)).problems).toEqual([]);
  });

  it("an unreachable database: LedgerUnavailable in time, and work goes on by itself afterwards", async () => {
    const { proxy, ledger, accountId, close } = await behindProxy(HURRIED);
    const spend = (id: string) => ledger.submit(command(accountId, { kind: "spend", id, amount: 1n }));
    await spend("before");
    await proxy.close();
    await expectUnavailableInTime(() => spend("meanwhile"));
    await proxy.open();
    expect(await eventually(() => spend("after"))).toMatchObject({ kind: "done" });
    expect(await eventually(() => spend("meanwhile"))).toMatchObject({ kind: "done" });
    await close();
  });

  it("a database that hangs: LedgerUnavailable in time, and work goes on by itself afterwards", async () => {
    const { proxy, ledger, accountId, close } = await behindProxy(HURRIED);
    const spend = (id: string) => ledger.submit(command(accountId, { kind: "spend", id, amount: 1n }));
    await spend("before");
    proxy.hang();
    await expectUnavailableInTime(() => spend("meanwhile"));
    // Those that come while it tries to connect again.
    await expectUnavailableInTime(() => Promise.all([spend("later"), spend("later still")]));
    proxy.resume();
    expect(await eventually(() => spend("after"))).toMatchObject({ kind: "done" });
    for (const id of ["meanwhile", "later", "later still"])
      expect(["done", "duplicate"]).toContain((await eventually(() => spend(id))).kind);
    await expectEachOnce(
      test,
      ["before", "meanwhile", "later", "later still", "after"].map((id) =>
        command(accountId, { kind: "spend", id, amount: 1n }),
      ),
    );
    await close();
  });
});

async function expectUnavailableInTime(ask: () => Promise<unknown>): Promise<void> {
  const start = performance.now();
  await expect(ask()).rejects.toBeInstanceOf(LedgerUnavailable);
  expect(performance.now() - start).toBeLessThan(IN_TIME_MILLISECONDS);
}

/** A caller's own patience: asks again under the same id, for as long as the answer is only that there is none. */
async function eventually(ask: () => Promise<Outcome>): Promise<Outcome> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof LedgerUnavailable)) throw error;
    }
  }
}

async function accountsWithCredits({ ledger, createAccount }: Ledger, count: number): Promise<AccountId[]> {
  const ids = await Promise.all(Array.from({ length: count }, () => createAccount()));
  for (const id of ids) await ledger.submit(command(id, { kind: "grant", id: "g", amount: GRANTED }));
  return ids;
}

function spends(accountIds: readonly AccountId[], count: number): Command[] {
  return Array.from({ length: count }, (_, index) =>
    command(accountIds[index % accountIds.length]!, { kind: "spend", id: `s${index}`, amount: 2n }),
  );
}

async function expectEachOnce({ pool }: Ledger, commands: readonly Command[]): Promise<void> {
  const keys = commands.map((asked) =>
    keyOf("holdId" in asked ? `close ${asked.holdId}` : (asked as { id: string }).id),
  );
  const { rows } = await pool.query<{ groups: bigint }>(
    `select count(e.key) as groups from unnest($1::text[], $2::uuid[]) as n (account_id, key)
     left join entries e using (account_id, key) group by n.account_id, n.key`,
    [commands.map(({ accountId }) => accountId), keys],
  );
  expect(rows).toHaveLength(commands.length);
  for (const { groups } of rows) expect(groups).toBe(1n);
}

/** Everything once more under the same ids: what was acknowledged is a duplicate, and all is charged once. */
async function askAgain(
  ledger: Ledger,
  commands: readonly Command[],
  acknowledged: readonly Command[],
): Promise<void> {
  const outcomes = await Promise.all(commands.map((asked) => eventually(() => ledger.ledger.submit(asked))));
  const known = new Set(acknowledged);
  for (const [index, { kind }] of outcomes.entries()) {
    if (known.has(commands[index]!)) expect(kind).toBe("duplicate");
    else expect(["done", "duplicate"]).toContain(kind);
  }
  await expectEachOnce(ledger, commands);
  const accountIds = [...new Set(commands.map(({ accountId }) => accountId))];
  const { rows } = await ledger.pool.query<{ spent: bigint }>(
    "select sum(spent)::int8 as spent from accounts where account_id = any($1::text[])",
    [accountIds],
  );
  expect(rows[0]!.spent).toBe(2n * BigInt(new Set([...commands, ...acknowledged]).size));
}

/** Backends and all, as a machine that loses power would. */
async function killWithChildren(pid: number): Promise<void> {
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).trim().split(" ");
  for (const victim of [pid, ...children.map(Number)]) {
    try {
      process.kill(victim, "SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}
