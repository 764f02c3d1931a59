import { addSeconds, type Instant } from "@bursar/contract/instant";

/** Says of each moment whether it is time again, which it is once in so many seconds; also where time has gone back,
 *  as it does when a clock that was ahead is set right. */
export function openPace(seconds: number): (now: Instant) => boolean {
  let next = 0 as Instant;
  return (now) => {
    const later = addSeconds(now, seconds);
    if (now < next && next <= later) return false;
    next = later;
    return true;
  };
}
