import { type Instant, MICROSECONDS_PER_SECOND } from "./instant.ts";

/** The calendar that billing follows: UTC, and months counted from an anchor. */

const MICROSECONDS_PER_DAY = 86_400 * MICROSECONDS_PER_SECOND;

/** From `start` on, and before `end`. */
export interface Period {
  /** How many periods lie between the anchor's own, which is 0, and this one. */
  readonly index: number;
  readonly start: Instant;
  readonly end: Instant;
}

/** The same day and time of day, so many months after the anchor; where that month is too short, its last day. Always
 *  count from the anchor, never from the last result: 31 January, 28 February, 31 March. Negative counts go back.
 *  Throws: a count that is not whole. */
export function addMonths(anchor: Instant, months: number): Instant {
  if (!Number.isSafeInteger(months)) throw new RangeError(`months must be whole, not ${months}`);
  const date = new Date(Math.floor(anchor / 1000));
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth() + months];
  const day = Math.min(date.getUTCDate(), daysInMonth(year, month));
  return (utcDay(year, month, day) + timeOfDay(anchor)) as Instant;
}

/** The monthly period, counted from the anchor, in which this instant lies: what renews on the anchor's day. */
export function monthlyPeriodAt(anchor: Instant, at: Instant): Period {
  // By the calendar alone the guess is right or, before the anchor's day and time, one too late.
  const guess = monthNumber(at) - monthNumber(anchor);
  const index = addMonths(anchor, guess) <= at ? guess : guess - 1;
  return { index, start: addMonths(anchor, index), end: addMonths(anchor, index + 1) };
}

/** Midnight UTC of this day. */
export function dayStart(at: Instant): Instant {
  return (at - timeOfDay(at)) as Instant;
}

/** Midnight UTC of the next day: where a window of this day ends. */
export function nextDayStart(at: Instant): Instant {
  return (dayStart(at) + MICROSECONDS_PER_DAY) as Instant;
}

/** Midnight UTC of the month's first day. */
export function monthStart(at: Instant): Instant {
  const date = new Date(Math.floor(at / 1000));
  return utcDay(date.getUTCFullYear(), date.getUTCMonth(), 1) as Instant;
}

/** Midnight UTC of the next month's first day: where a window of this month ends. */
export function nextMonthStart(at: Instant): Instant {
  return addMonths(monthStart(at), 1);
}

/** Months since the year 0, by the calendar. */
function monthNumber(at: Instant): number {
  const date = new Date(Math.floor(at / 1000));
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}

/** Day 0 of the following month is this month's last. */
function daysInMonth(year: number, month: number): number {
  return new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
}

function utcDay(year: number, month: number, day: number): number {
  return Date.UTC(year, month, day) * 1000;
}

/** Microseconds since midnight UTC, also before 1970. */
function timeOfDay(at: Instant): number {
  return ((at % MICROSECONDS_PER_DAY) + MICROSECONDS_PER_DAY) % MICROSECONDS_PER_DAY;
}
