import { setTimeout as delay } from "node:timers/promises";
import { APPLICATION_ROLE } from "@bursar/database/connection";
import { openPool } from "@bursar/database/pool";
import { type Clock, systemClock } from "@bursar/engine/clock/clock";
import { type MovableClock, openMovableClock } from "@bursar/engine/clock/movable";
import { openSteadyClock, type SteadyClock } from "@bursar/engine/clock/steady";
import type { Log } from "@bursar/engine/deps";
import type { Pool } from "pg";

const TIMEOUT_SECONDS = 2;
/** A database that hangs must not keep the process from ending. */
const GOODBYE_MILLISECONDS = 2000;

/** The sandbox's time. */
export function openSandboxClock(url: string, log: Log): Promise<MovableClock> {
  return openOnPool(url, log, (pool) => openMovableClock({ pool, system: systemClock, log }));
}

/** The time in live mode. */
export function openLiveClock(url: string, log: Log): Promise<SteadyClock> {
  return openOnPool(url, log, (pool) => openSteadyClock({ pool, system: systemClock, log }));
}

/** Over a connection of its own: asking what time it is never waits behind work. */
async function openOnPool<Opened extends Clock & { close(): Promise<void> }>(
  url: string,
  log: Log,
  open: (pool: Pool) => Promise<Opened>,
): Promise<Opened> {
  const pool = openPool({
    url,
    log,
    applicationName: "bursar-clock",
    role: APPLICATION_ROLE,
    connections: 1,
    connectTimeoutSeconds: TIMEOUT_SECONDS,
    queryTimeoutSeconds: TIMEOUT_SECONDS,
  });
  const clock = await open(pool).catch(async (error: unknown) => {
    await pool.end();
    throw error;
  });
  return {
    ...clock,
    close: async () => {
      await clock.close();
      await Promise.race([pool.end(), delay(GOODBYE_MILLISECONDS, undefined, { ref: false })]);
    },
  };
}
