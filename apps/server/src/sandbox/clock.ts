import { APPLICATION_ROLE } from "@bursar/database/connection";
import { openPool } from "@bursar/database/pool";
import { systemClock } from "@bursar/engine/clock/clock";
import { type MovableClock, openMovableClock } from "@bursar/engine/clock/movable";
import type { Log } from "@bursar/engine/deps";

const TIMEOUT_SECONDS = 2;

/** The sandbox's time, over a connection of its own: asking what time it is never waits behind work. */
export async function openSandboxClock(url: string, log: Log): Promise<MovableClock> {
  const pool = openPool({
    url,
    log,
    applicationName: "bursar-clock",
    role: APPLICATION_ROLE,
    connections: 1,
    connectTimeoutSeconds: TIMEOUT_SECONDS,
    queryTimeoutSeconds: TIMEOUT_SECONDS,
  });
  const clock = await openMovableClock({ pool, system: systemClock, log });
  return {
    ...clock,
    close: async () => {
      await clock.close();
      await pool.end();
    },
  };
}
