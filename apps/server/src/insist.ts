import { setTimeout as delay } from "node:timers/promises";
import { isUnavailable } from "@bursar/engine/ledger/unavailable";

const PATIENCE_MILLISECONDS = 30_000;
const PAUSE_MILLISECONDS = 100;

/** Does what a start needs again while the database is only slow, as on a machine that is busy with starting
 *  everything at once: requests hear no after two seconds, a start has time. `work` must bear to be repeated.
 *  Throws: whatever else `work` throws; the database is still away after half a minute. */
export async function insist<T>(work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + PATIENCE_MILLISECONDS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isUnavailable(error) || performance.now() > deadline) throw error;
    }
    await delay(PAUSE_MILLISECONDS);
  }
}
