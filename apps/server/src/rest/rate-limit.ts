import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import type { Problem } from "./problem.ts";

export interface RateLimit {
  /** null: go on. */
  take(caller: string): Promise<Problem | null>;
}

/** At most so many requests a second and key, in this process; 0 is no limit. */
export function openRateLimit(perSecond: number): RateLimit {
  if (perSecond === 0) return { take: () => Promise.resolve(null) };
  const limiter = new RateLimiterMemory({ points: perSecond, duration: 1 });
  const message = `At most ${perSecond} requests a second for one caller`;
  return {
    take: async (caller) => {
      try {
        await limiter.consume(caller);
        return null;
      } catch (reason) {
        if (reason instanceof RateLimiterRes) return { problem: "rate_limited", message };
        throw reason;
      }
    },
  };
}
