import { addSeconds, type Instant } from "@bursar/contract/instant";
import type { Clock } from "./clock.ts";

/** Something that was read, and is read again once it is older than so many seconds: however many ask, once at a time. */
export interface Fresh {
  /** Whether it was ever read. */
  isKnown(): boolean;
  /** Also where time has gone back. */
  isStale(now: Instant): boolean;
  /** Throws: what reading it throws. */
  refresh(): Promise<void>;
  /** From now on it is stale, whenever it was read. */
  expire(): void;
}

export function openFresh(clock: Clock, seconds: number, read: (now: Instant) => Promise<void>): Fresh {
  let isKnown = false;
  let freshUntil = 0 as Instant;
  let reading: Promise<void> | null = null;

  const readNow = async () => {
    const now = clock.now();
    await read(now);
    freshUntil = addSeconds(now, seconds);
    isKnown = true;
  };
  return {
    isKnown: () => isKnown,
    isStale: (now) => now >= freshUntil || now < addSeconds(freshUntil, -seconds),
    refresh: () => {
      reading ??= readNow().finally(() => {
        reading = null;
      });
      return reading;
    },
    expire: () => {
      freshUntil = 0 as Instant;
    },
  };
}
