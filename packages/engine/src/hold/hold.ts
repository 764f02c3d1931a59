import type { AccountId, HoldId } from "@bursar/contract/ids";
import { addSeconds, type Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type { Deps } from "../deps.ts";
import { type Affordable, affordableFor } from "../gate/affordable.ts";
import type { Cap, HoldCommand, OnHold, Outcome, Refusal } from "../ledger/command.ts";
import type { PriceBook } from "../price/decide.ts";
import { type Priced, type Pricing, priceWork, type Work } from "../price/work.ts";
import { decisionFor } from "../receipt/policy.ts";
import { recordRefusal } from "../receipt/refused.ts";
import { type WithTopUp, withTopUp } from "../topup/cover.ts";

export interface HoldRequest extends OnHold {
  readonly accountId: AccountId;
  readonly id: HoldId;
  readonly by: string;
  readonly work: Work;
  readonly keyId?: string | undefined;
  readonly requestId?: string | undefined;
  readonly feature?: string | undefined;
  readonly ttlSeconds?: number | undefined;
  /** An open hold to draw from: a run's budget. */
  readonly parentId?: HoldId | undefined;
  /** Of work that was let in before. See `HoldCommand`. */
  readonly isLate?: boolean | undefined;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  readonly caps?: readonly Cap[] | undefined;
}

export type HoldOutcome =
  | {
      readonly kind: "held";
      /** True when this id was held before: everything else is the first answer, but for what is usable by now. */
      readonly duplicate: boolean;
      readonly id: HoldId;
      readonly amount: MicroCredits;
      readonly expiresAt: Instant;
      /** All that the account has left besides, whatever it may pay for. */
      readonly available: MicroCredits;
      /** What this work can use by now: what it holds, and what can be held besides, for its feature or of its parent. */
      readonly usable: MicroCredits;
      /** By what is usable. */
      readonly affordable: Affordable;
    }
  | Exclude<Pricing, Priced>
  | (Refusal & WithTopUp & { readonly affordable?: Affordable });

export const HOLD_SECONDS = 600;

/** Reserves credits before work starts, so that parallel calls cannot overspend. Where too few are there and the
 *  account's top-up allows it, waits for more, and goes on.
 *  Units: micro-credits. Outcomes, first match wins: model_unknown, then the ledger's refusals in their order, held.
 *  Throws: LedgerUnavailable, which callers must take for a no. Source: money.md, "Holds". */
export async function hold(
  deps: Pick<Deps, "ledger" | "clock" | "prices" | "refusals" | "topUps">,
  request: HoldRequest,
): Promise<HoldOutcome> {
  const ask = async () => holdAtPrices(deps, await deps.prices.current(), request);
  return withTopUp(deps.topUps, request, ask);
}

/** The same at prices already in hand: reaches the ledger without yielding, so that a list of operations is submitted
 *  in its order. */
export async function holdAtPrices(
  deps: Pick<Deps, "ledger" | "clock" | "refusals">,
  book: PriceBook,
  request: HoldRequest,
): Promise<HoldOutcome> {
  const priced = priceWork(book, request.work);
  if (priced.kind !== "priced") return priced;
  const command = holdCommand(request, priced, deps.clock.now());
  const outcome = await deps.ledger.submit(command);
  if (outcome.kind === "done" || outcome.kind === "duplicate") return held(request, book, outcome);
  await recordRefusal(deps, command, outcome);
  const usable = usableOf(outcome);
  return usable === null ? outcome : { ...outcome, affordable: affordableFor(book, request.work, usable) };
}

/** What less work could still use; null: no work is allowed, or not because of the amount alone. */
function usableOf(refusal: Refusal): MicroCredits | null {
  if (refusal.kind === "insufficient_credits") return refusal.available;
  return refusal.kind === "parent_exhausted" ? refusal.left : null;
}

function holdCommand(request: HoldRequest, priced: Priced, now: Instant): HoldCommand {
  const { work, ttlSeconds = HOLD_SECONDS, ...rest } = request;
  const decision = decisionFor(priced, request.caps);
  // The same question is the same command, even when prices or the time have moved on between two tries.
  const asked = JSON.stringify([work.kind === "amount" ? String(work.amount) : work, ttlSeconds]);
  const expiresAt = addSeconds(now, ttlSeconds);
  return { ...rest, kind: "hold", amount: priced.amount, decision, expiresAt, asked };
}

function held(
  request: HoldRequest,
  book: PriceBook,
  { kind, result, usable = result.amount }: Extract<Outcome, { kind: "done" | "duplicate" }>,
): HoldOutcome {
  const { amount, expiresAt, available } = result;
  return {
    kind: "held",
    duplicate: kind === "duplicate",
    id: request.id,
    amount,
    expiresAt: expiresAt!,
    available,
    usable,
    affordable: affordableFor(book, request.work, usable),
  };
}
