import type { AccountId, GrantId } from "@bursar/contract/ids";
import { addSeconds, type Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type { Deps } from "../deps.ts";
import type { Refusal } from "../ledger/command.ts";
import { DEFAULT_PRIORITY, type GrantSource } from "../ledger/kinds.ts";

export interface GrantRequest {
  readonly accountId: AccountId;
  readonly id: GrantId;
  readonly amount: MicroCredits;
  readonly source: GrantSource;
  readonly priority?: number | undefined;
  /** null: never. Absent: as the source has it. */
  readonly expiresAt?: Instant | null | undefined;
  /** So long from now, instead of an instant: a repetition is one although the time has moved. */
  readonly ttlSeconds?: number | undefined;
  readonly scope?: readonly string[] | null | undefined;
  readonly notes?: string | undefined;
  readonly reference?: string | undefined;
  readonly by: string;
  readonly requestId?: string | undefined;
}

export type GrantOutcome =
  | {
      readonly kind: "granted";
      readonly duplicate: boolean;
      readonly id: GrantId;
      readonly amount: MicroCredits;
      /** What paying a debt has left of it. */
      readonly remaining: MicroCredits;
      readonly expiresAt: Instant | null;
    }
  | Refusal;

const ADMIN_GRANT_DAYS = 30;
const SECONDS_PER_DAY = 86_400;

/** Gives credits to an account; a debt is paid first. The grant's id is the idempotency key.
 *  Units: micro-credits. Outcomes: amount_out_of_range, account_unknown, key_conflict, granted.
 *  Throws: LedgerUnavailable. Source: money.md, "Grants". */
export async function grant(
  deps: Pick<Deps, "ledger" | "clock">,
  request: GrantRequest,
): Promise<GrantOutcome> {
  const { notes, priority, expiresAt: given, ttlSeconds, scope, ...rest } = request;
  const now = deps.clock.now();
  const expiresAt = ttlSeconds === undefined ? given : addSeconds(now, ttlSeconds);
  const outcome = await deps.ledger.submit({
    ...rest,
    kind: "grant",
    priority: priority ?? DEFAULT_PRIORITY[request.source],
    expiresAt: expiresAt === undefined ? defaultExpiry(request.source, now) : expiresAt,
    scope: scope ?? null,
    note: notes,
    // An expiry that is counted from now moves with the time; what was asked does not.
    asked: JSON.stringify([String(request.amount), priority, ttlSeconds ?? given, notes, request.reference]),
  });
  if (outcome.kind !== "done" && outcome.kind !== "duplicate") return outcome;
  const { amount, repaid, expiresAt: expiry } = outcome.result;
  const duplicate = outcome.kind === "duplicate";
  return {
    kind: "granted",
    duplicate,
    id: request.id,
    amount,
    remaining: amount - repaid,
    expiresAt: expiry,
  };
}

function defaultExpiry(source: GrantSource, now: Instant): Instant | null {
  return source === "admin" ? addSeconds(now, ADMIN_GRANT_DAYS * SECONDS_PER_DAY) : null;
}
