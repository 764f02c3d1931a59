import type { Deps } from "@bursar/engine/deps";
import { deliverEffects } from "@bursar/engine/effect/deliver";
import { sweep } from "@bursar/engine/ledger/sweep";

const SWEEP_MILLISECONDS = 1_000;

/** What happens by itself: expiries, and the effects that commits have asked for. Any number of processes may run it. */
export function startBackground(deps: Deps): { stop(): Promise<void> } {
  let running: Promise<void> = Promise.resolve();
  let isBusy = false;
  const once = async () => {
    if (isBusy) return;
    isBusy = true;
    try {
      await sweep(deps);
      await deliverEffects(deps);
    } catch (error) {
      deps.log.warn({ err: error }, "the sweep did not finish; it runs again in a second");
    } finally {
      isBusy = false;
    }
  };
  const timer = setInterval(() => {
    running = once();
  }, SWEEP_MILLISECONDS).unref();
  return {
    stop: async () => {
      clearInterval(timer);
      await running;
    },
  };
}
