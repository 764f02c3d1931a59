/** A point in time: whole microseconds since 1970-01-01T00:00:00Z, UTC. Postgres keeps microseconds, a `Date` does
 *  not, and an expiry must hold to the microsecond. Exact as a number until the year 2255. */
export type Instant = number & { readonly __brand: "Instant" };

const ISO_SHAPE =
  /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?(?:Z|([+-])(\d\d)(?::?(\d\d))?)$/;

export const MICROSECONDS_PER_SECOND = 1_000_000;

/** Reads an ISO 8601 instant with a zone and at most microseconds; null for anything else, also for 30 February. */
export function parseInstant(text: string): Instant | null {
  const match = ISO_SHAPE.exec(text);
  if (match === null) return null;
  const [, year, month, day, hour, minute, second = "0", fraction = "", sign, zoneHours, zoneMinutes] = match;
  const milliseconds = Date.UTC(+year!, +month! - 1, +day!, +hour!, +minute!, +second);
  // Date.UTC takes the years 0 to 99 for 1900 to 1999.
  if (+year! < 100) return null;
  const date = new Date(milliseconds);
  const isRealDate = date.getUTCDate() === +day! && date.getUTCMonth() === +month! - 1;
  if (!isRealDate || +hour! > 23 || +minute! > 59 || +second > 59) return null;
  const offsetMinutes = (sign === "-" ? -1 : 1) * (+(zoneHours ?? 0) * 60 + +(zoneMinutes ?? 0));
  return (milliseconds * 1000 +
    +fraction.padEnd(6, "0") -
    offsetMinutes * 60 * MICROSECONDS_PER_SECOND) as Instant;
}

/** Whether the instant is kept to the microsecond: so are those of the years 1685 to 2254. */
export function isExact(instant: Instant): boolean {
  return Number.isSafeInteger(instant);
}

/** ISO 8601 in UTC: milliseconds always, microseconds only when there are any. */
export function formatInstant(instant: Instant): string {
  const iso = new Date(Math.floor(instant / 1000)).toISOString();
  const microseconds = ((instant % 1000) + 1000) % 1000;
  return microseconds === 0 ? iso : `${iso.slice(0, -1)}${String(microseconds).padStart(3, "0")}Z`;
}

/** Reads `timestamptz` as Postgres prints it under `TimeZone UTC, DateStyle ISO`. */
export function parsePostgresTimestamp(text: string): Instant {
  const instant = parseInstant(text);
  if (instant === null) throw new Error(`not a UTC timestamp as Postgres prints it: ${text}`);
  return instant;
}

/** Exactly what Postgres prints for this instant under `TimeZone UTC, DateStyle ISO`, so that a row hashed here can
 *  be hashed again from what the database returns. */
export function formatPostgresTimestamp(instant: Instant): string {
  const iso = new Date(Math.floor(instant / 1000)).toISOString();
  const microseconds =
    ((instant % MICROSECONDS_PER_SECOND) + MICROSECONDS_PER_SECOND) % MICROSECONDS_PER_SECOND;
  const whole = `${iso.slice(0, 10)} ${iso.slice(11, 19)}`;
  if (microseconds === 0) return `${whole}+00`;
  return `${whole}.${String(microseconds).padStart(6, "0").replace(/0+$/, "")}+00`;
}

/** The same for a column that may be null. */
export function formatNullableTimestamp(instant: Instant | null): string | null {
  return instant === null ? null : formatPostgresTimestamp(instant);
}

export function instantFromDate(date: Date): Instant {
  return (date.getTime() * 1000) as Instant;
}

export function addSeconds(instant: Instant, seconds: number): Instant {
  return (instant + Math.round(seconds * MICROSECONDS_PER_SECOND)) as Instant;
}
