import { addSeconds, type Instant } from "@bursar/contract/instant";

const FIRST_DELAY_SECONDS = 10;
const LONGEST_DELAY_SECONDS = 3600;
const PATIENCE_SECONDS = 3 * 86_400;

export interface FailedAttempt {
  /** This one counted. */
  readonly attempts: number;
  readonly createdAt: Instant;
  /** The mail server has said that it will never take it. */
  readonly isRefused: boolean;
}

export type AfterFailure =
  | { readonly kind: "again"; readonly dueAt: Instant }
  | { readonly kind: "given_up" };

/** What follows a failed attempt: 10 s, doubling up to an hour, for three days. Nobody needs a mail that is older. */
export function afterFailure({ attempts, createdAt, isRefused }: FailedAttempt, now: Instant): AfterFailure {
  if (isRefused || now >= addSeconds(createdAt, PATIENCE_SECONDS)) return { kind: "given_up" };
  const delaySeconds = Math.min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** (attempts - 1));
  return { kind: "again", dueAt: addSeconds(now, delaySeconds) };
}
