import { setImmediate } from "node:timers/promises";
import { parseDuration } from "@bursar/contract/duration";
import { addSeconds, parseInstant } from "@bursar/contract/instant";
import { APPLICATION_ROLE } from "@bursar/database/connection";
import { silentLog } from "@bursar/database/log";
import { openPool } from "@bursar/database/pool";
import { createTestDatabase, type TestDatabase } from "@bursar/database/testing";
import type { Pool } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { type MovableClock, openMovableClock } from "./movable.ts";

let database: TestDatabase;
let pool: Pool;
const clocks: MovableClock[] = [];

/** The machine's time, which only the test moves. */
const START = parseInstant("2027-01-31T12:00:00Z")!;
const system = { time: START, now: () => system.time };
const pass = (seconds: number) => {
  system.time = addSeconds(system.time, seconds);
};

beforeAll(async () => {
  database = await createTestDatabase();
  pool = openPool({ url: database.url, applicationName: "test", role: APPLICATION_ROLE, log: silentLog });
});

beforeEach(() => {
  system.time = START;
});

afterEach(async () => {
  await Promise.all(clocks.splice(0).map((clock) => clock.close()));
  const owner = openPool({ url: database.url, applicationName: "test", log: silentLog });
  await owner.query("delete from sandbox_clock");
  await owner.end();
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

/** One process's clock. */
async function open(): Promise<MovableClock> {
  const clock = await openMovableClock({ pool, system, log: silentLog });
  clocks.push(clock);
  return clock;
}

const days = (count: number) => parseDuration(`${count}d`)!;
const iso = (text: string) => parseInstant(text);

it("goes with the machine's time until somebody moves it", async () => {
  const clock = await open();
  expect(clock.now()).toBe(START);
  pass(5);
  expect(clock.state()).toEqual({
    now: addSeconds(START, 5),
    systemTime: addSeconds(START, 5),
    frozen: false,
  });
});

it("moves ahead, by calendar months too, and goes on from there", async () => {
  const clock = await open();
  await clock.advance(parseDuration("1mo")!);
  expect(clock.now()).toBe(iso("2027-02-28T12:00:00Z"));
  await clock.advance(days(31));
  pass(60);
  expect(clock.now()).toBe(iso("2027-03-31T12:01:00Z"));
});

it("stands still while frozen, can be moved then, and goes on from where it stood", async () => {
  const clock = await open();
  await clock.freeze(true);
  pass(3600);
  expect(clock.now()).toBe(START);
  await clock.freeze(true);
  await clock.advance(days(2));
  expect(clock.state()).toMatchObject({ now: iso("2027-02-02T12:00:00Z"), frozen: true });
  await clock.freeze(false);
  expect(clock.now()).toBe(iso("2027-02-02T12:00:00Z"));
  pass(60);
  expect(clock.now()).toBe(iso("2027-02-02T12:01:00Z"));
});

it("stands still from where it is frozen, however long the database takes", async () => {
  const clock = await open();
  let isFreezing = true;
  const ticking = (async () => {
    for (; isFreezing; pass(1), clock.now()) await setImmediate();
  })();
  const { now } = await clock.freeze(true);
  isFreezing = false;
  await ticking;
  expect(await clock.advance(days(2))).toMatchObject({ state: { now: addSeconds(now, 2 * 86_400) } });
});

it("is the same for a process that starts later", async () => {
  await (await open()).advance(days(31));
  expect((await open()).now()).toBe(addSeconds(START, 31 * 86_400));
});

it("is the same in a process that runs already, without being told", async () => {
  const [one, other] = [await open(), await open()];
  await one.advance(days(31));
  await expect.poll(() => other.now()).toBe(one.now());
});

it("loses no move when several processes move it at once", async () => {
  const processes = await Promise.all(Array.from({ length: 5 }, open));
  await Promise.all(processes.map((clock) => clock.advance(days(1))));
  const late = await open();
  expect(late.now()).toBe(addSeconds(START, 5 * 86_400));
});

it("never goes back, whatever the machine's time or the database says", async () => {
  const clock = await open();
  await clock.advance(days(1));
  const before = clock.now();
  system.time = addSeconds(START, -3600);
  expect(clock.now()).toBe(before);
  system.time = START;
  const other = await open();
  await other.freeze(true);
  await clock.refresh();
  expect(clock.now()).toBeGreaterThanOrEqual(before);
});

it.each(["1200mo", "8000w"])(
  "moves by %s when that is before 2200, and refuses what is not",
  async (text) => {
    const clock = await open();
    expect((await clock.advance(parseDuration(text)!)).kind).toBe("moved");
    const before = clock.now();
    for (const tooFar of ["999999999mo", "999999999w", "2400mo"])
      expect(await clock.advance(parseDuration(tooFar)!)).toEqual({ kind: "out_of_range" });
    expect(clock.now()).toBe(before);
  },
);

it("goes on when the database does not answer", async () => {
  const broken = openPool({ url: database.url, applicationName: "test", log: silentLog });
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (_: object, message: string) => void warnings.push(message) };
  const clock = await openMovableClock({ pool: broken, system, log });
  await broken.end();
  await expect.poll(() => warnings).toEqual(["the sandbox clock cannot be read; it goes on as it was"]);
  pass(1);
  expect(clock.now()).toBe(addSeconds(START, 1));
  await clock.close();
});
