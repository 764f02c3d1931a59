import { addSeconds, type Instant } from "@bursar/contract/instant";
import type { Clock } from "@bursar/engine/clock/clock";
import type { OpenIdentity } from "@bursar/identity/open";
import type { Job } from "../background/job.ts";

const PERIOD_SECONDS = 600;

/** Sessions, codes and counts that have expired are refused wherever they are used; this only clears them away. */
export function forgetExpired(identity: OpenIdentity, clock: Clock): Job {
  let next: Instant = clock.now();
  return {
    name: "expired sign-ins",
    run: async () => {
      if (clock.now() < next) return 0;
      await identity.sweep();
      next = addSeconds(clock.now(), PERIOD_SECONDS);
      return 0;
    },
  };
}
