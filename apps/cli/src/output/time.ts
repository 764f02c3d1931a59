const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const UNITS = [
  { seconds: DAY, name: "day" },
  { seconds: HOUR, name: "hour" },
  { seconds: MINUTE, name: "minute" },
] as const;

/** "2026-12-20 01:29 UTC"; with seconds where the order of things matters. */
export function clockTime(iso: string, precision: "minutes" | "seconds" = "minutes"): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, precision === "minutes" ? 16 : 19)} UTC`;
}

/** "in 29 days", "3 minutes ago", "now": the largest unit that counts at least two, so that little is rounded away. */
export function relativeTime(iso: string, nowMilliseconds: number): string {
  const seconds = Math.round((Date.parse(iso) - nowMilliseconds) / 1000);
  const text = distanceText(Math.abs(seconds));
  if (seconds === 0) return "now";
  return seconds > 0 ? `in ${text}` : `${text} ago`;
}

function distanceText(seconds: number): string {
  const unit = UNITS.find((candidate) => seconds >= 2 * candidate.seconds);
  if (unit === undefined) return `${seconds} s`;
  return `${Math.round(seconds / unit.seconds)} ${unit.name}s`;
}

/** "in 29 days (2026-12-20 01:29 UTC)". */
export function both(iso: string, nowMilliseconds: number): string {
  return `${relativeTime(iso, nowMilliseconds)} (${clockTime(iso)})`;
}

/** Of credits, in a sentence: "expire in 29 days (2026-12-20 01:29 UTC)". */
export function lasting(iso: string | null, nowMilliseconds: number): string {
  return iso === null ? "never expire" : `expire ${both(iso, nowMilliseconds)}`;
}

export function expiry(iso: string | null, nowMilliseconds: number): string {
  return iso === null ? "never" : both(iso, nowMilliseconds);
}
