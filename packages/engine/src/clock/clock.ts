import type { Instant } from "@bursar/contract/instant";

/** The only source of time. Everything else is given `now`. */
export interface Clock {
  now(): Instant;
}

export const systemClock: Clock = {
  now: () => (Date.now() * 1000) as Instant,
};
