import type { Clock } from "@bursar/engine/clock/clock";
import { openPace } from "@bursar/engine/clock/pace";
import type { OpenIdentity } from "@bursar/identity/open";
import type { Job } from "../background/job.ts";

const PERIOD_SECONDS = 600;

/** Sessions, codes and counts that have expired are refused wherever they are used; this only clears them away. */
export function forgetExpired(identity: OpenIdentity, clock: Clock): Job {
  const isTime = openPace(PERIOD_SECONDS);
  return {
    name: "expired sign-ins",
    run: async () => {
      if (isTime(clock.now())) await identity.sweep();
      return 0;
    },
  };
}
