import type { Instant } from "@bursar/contract/instant";
import type { Log } from "@bursar/database/log";
import type pg from "pg";
import type { Clock } from "./clock.ts";
import { startPolling } from "./poll.ts";
import { readDatabaseTime } from "./store.ts";

/** One time for all processes on a database, whatever their machines' clocks say or are set to. */
export interface SteadyClock extends Clock {
  /** To the millisecond; cheap and synchronous. */
  now(): Instant;
  close(): Promise<void>;
}

interface SteadyClockDeps {
  readonly pool: pg.Pool;
  /** The machine's clock, on which nothing but a warning depends. */
  readonly system: Clock;
  readonly log: Pick<Log, "warn">;
  /** Counts on, whatever the machine's clock is set to. */
  readonly elapsedMilliseconds?: () => number;
}

const COMPARE_MILLISECONDS = 1_000;
/** Less is left alone: it may as well be the way to the database and back. */
const TOLERANCE_MILLISECONDS = 100;
const TELLING_MILLISECONDS = 10_000;

/** The database's time, counted on by the machine between two looks at it, of which there is one a second: what has
 *  expired by a wrong clock does not come back. Throws: database unreachable; later that only leaves the count alone. */
export async function openSteadyClock(deps: SteadyClockDeps): Promise<SteadyClock> {
  const { pool, system, log, elapsedMilliseconds = () => performance.now() } = deps;
  let zero = Number.NaN;
  let isTold = false;
  const milliseconds = () => zero + elapsedMilliseconds();
  const compare = async () => {
    const before = elapsedMilliseconds();
    const time = (await readDatabaseTime(pool)) / 1000;
    const after = elapsedMilliseconds();
    const measured = time - (before + after) / 2;
    const isNear = Math.abs(measured - zero) <= TOLERANCE_MILLISECONDS + (after - before) / 2;
    if (!isNear) zero = measured;
    const ahead = system.now() / 1000 - milliseconds();
    const isFar = Math.abs(ahead) > TELLING_MILLISECONDS;
    if (isFar && !isTold) log.warn({ secondsAhead: Math.round(ahead / 1000) }, WRONG);
    isTold = isFar;
  };
  await compare();
  const complaint = "the database cannot be asked for the time; it is counted on";
  const poll = startPolling(compare, { everyMilliseconds: COMPARE_MILLISECONDS, log, complaint });
  return {
    now: () => (Math.floor(milliseconds()) * 1000) as Instant,
    close: () => poll.stop(),
  };
}

const WRONG =
  "this machine's clock is not the database's, by which everything goes but sign-ins: one of the two is wrong";
