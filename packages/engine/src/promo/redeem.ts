import type { AccountId, GrantId } from "@bursar/contract/ids";
import { findAccount } from "../account/store.ts";
import { type Limited, tryCode } from "../code/tries.ts";
import type { Deps } from "../deps.ts";
import type { RedeemRequest } from "../gift/redeem.ts";
import { keepPromise, promiseGrant } from "../grant/promise.ts";
import type { PromisedGrant } from "../grant/store-promised.ts";
import type { Queryable } from "../mail/store.ts";
import { decidePromo, type PromoDecision, type Redemption } from "./decide.ts";
import { insertRedemption, readPromoState } from "./store.ts";

type Redeeming = Extract<PromoDecision, { redemption: Redemption }>;

export type RedeemPromoOutcome =
  | ({ readonly kind: "redeemed"; readonly duplicate: boolean; readonly code: string } & Redemption)
  | Exclude<PromoDecision, Redeeming>
  | { readonly kind: "account_unknown"; readonly accountId: AccountId }
  | Limited;

/** Gives an account what the code promises, once an account and no more often than the code's limit, whoever tries at
 *  the same moment: the code's row decides.
 *  Units: micro-credits. Outcomes, first match wins: account_unknown, limited, code_unknown (also for what is no code),
 *  code_void, code_expired, code_used, minimum_not_met, redeemed. Throws: database unreachable; trying again is safe. */
export async function redeemPromo(
  deps: Pick<Deps, "ledger" | "pool" | "clock" | "log">,
  request: RedeemRequest,
): Promise<RedeemPromoOutcome> {
  const { accountId } = request;
  if ((await findAccount(deps.pool, accountId)) === null) return { kind: "account_unknown", accountId };
  const outcome = await tryCode(deps, request, (client) => redeem(deps, client, request), isGuess);
  if (!("redemption" in outcome)) return outcome;
  if (outcome.kind === "redeem") await keepPromise(deps, grantFor(outcome, request));
  const duplicate = outcome.kind === "repeated";
  return { kind: "redeemed", duplicate, code: outcome.promo.code, ...outcome.redemption };
}

/** Whoever knows a code that asks for more is no guesser. */
function isGuess(outcome: PromoDecision): boolean {
  return !("redemption" in outcome) && outcome.kind !== "minimum_not_met";
}

async function redeem(
  deps: Pick<Deps, "clock">,
  client: Queryable,
  request: RedeemRequest,
): Promise<PromoDecision> {
  const { accountId } = request;
  const code = request.code.trim().toUpperCase();
  const state = await readPromoState(client, { accountId, code });
  const now = deps.clock.now();
  const decision = decidePromo(state, now);
  if (decision.kind !== "redeem") return decision;
  await insertRedemption(client, { accountId, code, at: now, ...decision.redemption });
  await promiseGrant(deps, client, grantFor(decision, request));
  return decision;
}

function grantFor({ promo, redemption }: Redeeming, { accountId, by }: RedeemRequest): PromisedGrant {
  const { grantId, amount, expiresAt } = redemption;
  const terms = { source: "promo", notes: `Promo code ${promo.code}`, reference: promo.code } as const;
  return { accountId, id: grantId as GrantId, amount, expiresAt, by, ...terms };
}
