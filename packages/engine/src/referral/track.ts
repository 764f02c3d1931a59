import type { AccountId } from "@bursar/contract/ids";
import { randomText } from "@bursar/contract/random-text";
import { withSerializableTransaction } from "@bursar/database/transaction";
import { findAccount } from "../account/store.ts";
import type { Deps } from "../deps.ts";
import { CODE_ALPHABET } from "../gift/code.ts";
import type { Queryable } from "../mail/store.ts";
import { type Condition, decideTracking, type ReferralState, type TrackDecision } from "./decide.ts";
import { findCode, insertCode, insertReferral, readTrackState } from "./store.ts";

const eight = randomText(CODE_ALPHABET, 8);

/** The account's code, made when it is first asked for. null: no such account. */
export async function referralCode(
  deps: Pick<Deps, "pool" | "clock">,
  accountId: AccountId,
): Promise<string | null> {
  if ((await findAccount(deps.pool, accountId)) === null) return null;
  // A code that somebody has already is so unlikely that the second try is enough.
  for (let tries = 0; tries < 3; tries++) {
    await insertCode(deps.pool, { accountId, code: eight(), at: deps.clock.now() });
    const code = await findCode(deps.pool, accountId);
    if (code !== null) return code;
  }
  throw new Error("no free referral code was found");
}

export type TrackOutcome =
  | { readonly kind: "tracked"; readonly duplicate: boolean; readonly state: ReferralState }
  | Exclude<TrackDecision, { kind: "track" | "repeated" }>
  | { readonly kind: "account_unknown"; readonly accountId: AccountId };

export interface TrackRequest {
  readonly accountId: AccountId;
  /** Of whoever brought the account, as it was typed. */
  readonly code: string;
}

/** Many may claim one person at once, and every conflict but the last is tried again. */
const ATTEMPTS = 30;

/** Notes who brought this account: once, by one referrer, never in a circle, however many claim it at once. The rewards
 *  come when the condition is met. Guessing is not limited: a code gives its owner credits, and opens nothing.
 *  Outcomes, first match wins: account_unknown, then as `decideTracking`, tracked.
 *  Throws: database unreachable; trying again is safe. */
export async function trackReferral(
  deps: Pick<Deps, "pool" | "clock">,
  condition: Condition,
  request: TrackRequest,
): Promise<TrackOutcome> {
  const { accountId } = request;
  if ((await findAccount(deps.pool, accountId)) === null) return { kind: "account_unknown", accountId };
  const outcome = await track(deps, condition, request);
  if (outcome.kind === "track") return { kind: "tracked", duplicate: false, state: "pending" };
  if (outcome.kind === "repeated") return { kind: "tracked", duplicate: true, state: outcome.state };
  return outcome;
}

function track(
  deps: Pick<Deps, "pool" | "clock">,
  condition: Condition,
  request: TrackRequest,
): Promise<TrackDecision> {
  const { accountId } = request;
  const code = request.code.replace(/[\s-]/g, "").toUpperCase();
  const work = async (client: Queryable) => {
    const state = { ...(await readTrackState(client, { accountId, code })), accountId, condition };
    const decision = decideTracking(state);
    if (decision.kind === "track")
      await insertReferral(client, { accountId, referrerId: state.referrerId!, at: deps.clock.now() });
    return decision;
  };
  return withSerializableTransaction(deps.pool, work, { attempts: ATTEMPTS });
}
