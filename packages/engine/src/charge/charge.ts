import type { AccountId } from "@bursar/contract/ids";
import type { MicroCredits } from "@bursar/contract/money";
import type { Deps } from "../deps.ts";
import type { Cap, Refusal, SpendCommand } from "../ledger/command.ts";
import type { PriceBook } from "../price/decide.ts";
import { type Cost, type Priced, type Pricing, priceCost } from "../price/work.ts";
import { decisionFor } from "../receipt/policy.ts";
import { recordRefusal } from "../receipt/refused.ts";
import { type WithTopUp, withTopUp } from "../topup/cover.ts";
import { usageRecordOf } from "../usage/record.ts";

export interface ChargeRequest {
  readonly accountId: AccountId;
  readonly id: string;
  readonly cost: Cost;
  readonly by: string;
  readonly keyId?: string | undefined;
  readonly requestId?: string | undefined;
  readonly feature?: string | undefined;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  readonly caps?: readonly Cap[] | undefined;
}

export type ChargeOutcome =
  | {
      readonly kind: "charged";
      readonly duplicate: boolean;
      readonly charged: MicroCredits;
      readonly available: MicroCredits;
    }
  | Exclude<Pricing, Priced>
  | (Refusal & WithTopUp);

/** Charges work with a known price in one step, without a hold: all of it, or nothing. Where too few credits are there
 *  and the account's top-up allows it, waits for more.
 *  Units: micro-credits. Outcomes, first match wins: model_unknown, then the ledger's refusals in their order, charged.
 *  Throws: LedgerUnavailable; the same id again is always safe. */
export async function charge(
  deps: Pick<Deps, "ledger" | "prices" | "clock" | "refusals" | "topUps">,
  request: ChargeRequest,
): Promise<ChargeOutcome> {
  const ask = async () => chargeAtPrices(deps, await deps.prices.current(), request);
  return withTopUp(deps.topUps, request, ask);
}

/** The same at prices already in hand: reaches the ledger without yielding, so that a list of operations is submitted
 *  in its order. */
export async function chargeAtPrices(
  deps: Pick<Deps, "ledger" | "clock" | "refusals">,
  book: PriceBook,
  request: ChargeRequest,
): Promise<ChargeOutcome> {
  const { cost, ...rest } = request;
  const priced = priceCost(book, cost);
  if (priced.kind !== "priced") return priced;
  const command: SpendCommand = {
    ...rest,
    kind: "spend",
    amount: priced.amount,
    decision: decisionFor(priced, request.caps),
    usage: usageRecordOf(cost, book, request),
    asked: cost.kind !== "amount" ? JSON.stringify(cost) : undefined,
  };
  const outcome = await deps.ledger.submit(command);
  if (outcome.kind !== "done" && outcome.kind !== "duplicate") {
    await recordRefusal(deps, command, outcome);
    return outcome;
  }
  const { charged, available } = outcome.result;
  return { kind: "charged", duplicate: outcome.kind === "duplicate", charged, available };
}
