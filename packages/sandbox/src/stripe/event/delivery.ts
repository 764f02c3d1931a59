/** One event on its way to one endpoint. */
export interface Delivery {
  readonly id: string;
  readonly eventId: string;
  readonly endpointId: string;
  state: "delivered" | "given_up" | "lost" | "waiting";
  /** Milliseconds of the moving clock. */
  dueAt: number;
  /** Of what is due, the lowest goes first. */
  readonly rank: number;
  attempts: number;
  /** Where else it goes at the same time. */
  readonly alsoTo: readonly string[];
  /** The last answer's status; 0: none came. */
  lastStatus: number | null;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Pauses after the first, second, … attempt that failed; together three days, as Stripe promises. */
const PAUSES = [
  5000,
  MINUTE,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  ...Array<number>(4).fill(13.5 * HOUR),
];

/** When to try again after that many attempts; null: never. */
export function nextAttemptAt(attempts: number, now: number): number | null {
  const pause = PAUSES[attempts - 1];
  return pause === undefined ? null : now + pause;
}
