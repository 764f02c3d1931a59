import type { AccountId, GrantId } from "@bursar/contract/ids";
import type { MicroCredits } from "@bursar/contract/money";
import { findAccount } from "../account/store.ts";
import { type Limited, tryCode } from "../code/tries.ts";
import type { Deps } from "../deps.ts";
import { keepPromise, promiseGrant } from "../grant/promise.ts";
import type { PromisedGrant } from "../grant/store-promised.ts";
import type { Queryable } from "../mail/store.ts";
import { hashOfGiftCode } from "./code.ts";
import { decideGift, type GiftCard, type GiftDecision } from "./decide.ts";
import { lockCard, markRedeemed } from "./store.ts";

export interface RedeemRequest {
  readonly accountId: AccountId;
  /** As it was typed. */
  readonly code: string;
  /** Where the request came from, for the limit on guessing. */
  readonly address: string;
  readonly by: string;
}

type Refused = Exclude<GiftDecision, { card: GiftCard }>;

export type RedeemGiftOutcome =
  | {
      readonly kind: "redeemed";
      /** True when this account had redeemed it before. */
      readonly duplicate: boolean;
      readonly id: string;
      readonly grantId: GrantId;
      readonly amount: MicroCredits;
    }
  | Refused
  | { readonly kind: "account_unknown"; readonly accountId: AccountId }
  | Limited;

/** Turns a gift card into credits that never expire, once, whoever tries at the same moment: the card's row decides.
 *  Units: micro-credits. Outcomes, first match wins: account_unknown, limited, code_unknown (also for what is no code),
 *  code_used, code_void, code_expired, redeemed. Throws: database unreachable; trying again is safe. */
export async function redeemGift(
  deps: Pick<Deps, "ledger" | "pool" | "clock" | "log">,
  request: RedeemRequest,
): Promise<RedeemGiftOutcome> {
  const { accountId } = request;
  if ((await findAccount(deps.pool, accountId)) === null) return { kind: "account_unknown", accountId };
  const hash = await hashOfGiftCode(request.code);
  const outcome = await tryCode(
    deps,
    request,
    (client) => redeem(deps, client, hash, request),
    (decision) => !("card" in decision),
  );
  if (!("card" in outcome)) return outcome;
  const promised = grantFor(outcome.card, request);
  if (outcome.kind === "redeem") await keepPromise(deps, promised);
  const { id: grantId, amount } = promised;
  return { kind: "redeemed", duplicate: outcome.kind === "repeated", id: outcome.card.id, grantId, amount };
}

async function redeem(
  deps: Pick<Deps, "clock">,
  client: Queryable,
  hash: Buffer,
  request: RedeemRequest,
): Promise<GiftDecision> {
  const now = deps.clock.now();
  const decision = decideGift(await lockCard(client, hash), request.accountId, now);
  if (decision.kind !== "redeem") return decision;
  await markRedeemed(client, { id: decision.card.id, by: request.accountId, at: now });
  await promiseGrant(deps, client, grantFor(decision.card, request));
  return decision;
}

function grantFor(card: GiftCard, { accountId, by }: RedeemRequest): PromisedGrant {
  const id = `gift:${card.id}` as GrantId;
  const terms = { source: "gift", expiresAt: null, notes: "Gift card" } as const;
  return { accountId, id, amount: card.amount, reference: card.id, by, ...terms };
}
