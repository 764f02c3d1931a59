import { addSeconds, type Instant } from "@bursar/contract/instant";
import { silentLog } from "@bursar/database/log";
import { openPool } from "@bursar/database/pool";
import { createTestDatabase, type TestDatabase } from "@bursar/database/testing";
import type { Pool } from "pg";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { openSteadyClock } from "./steady.ts";
import { readDatabaseTime } from "./store.ts";

const PATIENCE = { timeout: 30_000, interval: 20 };

let database: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = openPool({ url: database.url, applicationName: "test", log: silentLog });
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

/** The clock of a machine that is so far ahead, and has stood still for a while as far as it has noticed. */
async function open(settings: { secondsAhead?: number; on?: Pool } = {}) {
  const machine = { secondsAhead: settings.secondsAhead ?? 0, asleepMilliseconds: 0 };
  const warnings: string[] = [];
  const clock = await openSteadyClock({
    pool: settings.on ?? pool,
    system: { now: () => addSeconds((Date.now() * 1000) as Instant, machine.secondsAhead) },
    log: { warn: (_, message) => void warnings.push(message) },
    elapsedMilliseconds: () => performance.now() - machine.asleepMilliseconds,
  });
  return { clock, machine, warnings };
}

/** Between the database's time before and after it was asked, or so close that nobody could tell. */
async function expectRight(clock: { now(): Instant }) {
  const before = await readDatabaseTime(pool);
  const now = clock.now();
  const after = await readDatabaseTime(pool);
  expect(now).toBeGreaterThan(addSeconds(before, -1));
  expect(now).toBeLessThan(addSeconds(after, 1));
}

it("is the database's time on a machine whose clock is an hour ahead or behind, and says so once", async () => {
  for (const secondsAhead of [3600, -3600]) {
    const { clock, warnings } = await open({ secondsAhead });
    await expectRight(clock);
    expect(warnings).toHaveLength(1);
    await clock.close();
  }
});

it("does not move when the machine's clock is set while the process runs", async () => {
  const { clock, machine, warnings } = await open();
  expect(warnings).toEqual([]);
  machine.secondsAhead = 3600;
  await vi.waitFor(() => expect(warnings).toHaveLength(1), PATIENCE);
  await expectRight(clock);
  await clock.close();
});

it("catches up after a sleep that the machine has not counted", async () => {
  const { clock, machine } = await open();
  machine.asleepMilliseconds = 60_000;
  await vi.waitFor(() => expectRight(clock), PATIENCE);
  await clock.close();
});

it("counts on while the database is away, and does not begin without it", async () => {
  const gone = openPool({ url: database.url, applicationName: "test", log: silentLog });
  const { clock, warnings } = await open({ on: gone });
  await gone.end();
  await vi.waitFor(() => expect(warnings).toHaveLength(1), PATIENCE);
  await expectRight(clock);
  await clock.close();
  await expect(open({ on: gone })).rejects.toThrow();
});
