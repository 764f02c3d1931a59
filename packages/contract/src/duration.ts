import { addMonths } from "./calendar.ts";
import { addSeconds, type Instant } from "./instant.ts";

/** A length of time as people write it. Months are the calendar's, so they have no fixed number of seconds. */
export type Duration =
  | { readonly unit: "seconds"; readonly count: number }
  | { readonly unit: "months"; readonly count: number };

export const DURATION_HINT = "like 90s, 15m, 12h, 31d, 2w or 3mo (calendar months)";

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
const SHAPE = /^(\d{1,9})(s|m|h|d|w|mo)$/;

/** Reads one count and one unit; null for anything else, also for nothing at all such as 0s. */
export function parseDuration(text: string): Duration | null {
  const match = SHAPE.exec(text);
  const count = Number(match?.[1] ?? 0);
  if (match === null || count === 0) return null;
  const seconds = SECONDS[match[2]!];
  return seconds === undefined ? { unit: "months", count } : { unit: "seconds", count: count * seconds };
}

/** The instant this much later. */
export function addDuration(at: Instant, duration: Duration): Instant {
  switch (duration.unit) {
    case "seconds":
      return addSeconds(at, duration.count);
    case "months":
      return addMonths(at, duration.count);
  }
}
