/** How long a billing period is. */
export interface Interval {
  readonly unit: "day" | "month" | "week" | "year";
  readonly count: number;
}

export interface Period {
  /** Seconds. */
  readonly start: number;
  readonly end: number;
}

const DAY = 86_400;

/** The moment `index` intervals after the anchor, in seconds. Months that are too short end on their last day; later ones return to
 *  the anchor's day. */
function boundary(anchor: number, { unit, count }: Interval, index: number): number {
  const steps = index * count;
  if (unit === "day") return anchor + steps * DAY;
  if (unit === "week") return anchor + steps * 7 * DAY;
  const date = new Date(anchor * 1000);
  const months = date.getUTCMonth() + (unit === "year" ? 12 * steps : steps);
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), months + 1, 0)).getUTCDate();
  const day = Math.min(date.getUTCDate(), lastDay);
  return Date.UTC(date.getUTCFullYear(), months, day) / 1000 + (anchor % DAY);
}

/** The period that holds a time at or after the anchor. */
export function periodAt(anchor: number, interval: Interval, time: number): Period {
  let index = 0;
  while (boundary(anchor, interval, index + 1) <= time) index++;
  return { start: boundary(anchor, interval, index), end: boundary(anchor, interval, index + 1) };
}

/** What a part of a period costs, rounded to the nearest minor unit. */
export function prorated(amount: number, { start, end }: Period, from: number): number {
  return Math.round((amount * (end - Math.max(from, start))) / (end - start));
}
