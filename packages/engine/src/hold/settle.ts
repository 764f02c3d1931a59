import type { AccountId, HoldId } from "@bursar/contract/ids";
import type { MicroCredits } from "@bursar/contract/money";
import type { Deps } from "../deps.ts";
import type { OnHold, Refusal } from "../ledger/command.ts";
import type { PriceBook } from "../price/decide.ts";
import { type Cost, type Priced, type Pricing, priceCost } from "../price/work.ts";
import { usageRecordOf } from "../usage/record.ts";

interface CloseRequest extends OnHold {
  readonly accountId: AccountId;
  readonly holdId: HoldId;
  readonly by: string;
  readonly requestId?: string | undefined;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  readonly note?: string | undefined;
}

export interface SettleRequest extends CloseRequest {
  readonly cost: Cost;
  /** What was counted, for the statistics, where `cost` is a part of it. */
  readonly counted?: Cost | undefined;
  readonly keyId?: string | undefined;
}

export type SettleOutcome =
  | {
      readonly kind: "settled";
      readonly duplicate: boolean;
      readonly charged: MicroCredits;
      readonly released: MicroCredits;
      readonly overrun: MicroCredits;
      readonly available: MicroCredits;
    }
  | Exclude<Pricing, Priced>
  | Refusal;

/** Charges the work's real cost, also beyond what was held, and releases the rest.
 *  Units: micro-credits. Outcomes, first match wins: model_unknown, hold_unknown, hold_closed, settled.
 *  Throws: LedgerUnavailable; settling again is always safe. Source: money.md, "Holds". */
export async function settle(
  deps: Pick<Deps, "ledger" | "prices">,
  request: SettleRequest,
): Promise<SettleOutcome> {
  return settleAtPrices(deps, await deps.prices.current(), request);
}

/** The same at prices already in hand: reaches the ledger without yielding, so that a list of operations is submitted
 *  in its order. */
export async function settleAtPrices(
  deps: Pick<Deps, "ledger">,
  book: PriceBook,
  request: SettleRequest,
): Promise<SettleOutcome> {
  const { cost, counted = cost, keyId: _, ...rest } = request;
  const priced = priceCost(book, cost);
  if (priced.kind !== "priced") return priced;
  const { amount, decision } = priced;
  const usage = usageRecordOf(counted, book, request);
  const asked = cost.kind !== "amount" ? JSON.stringify(cost) : undefined;
  const outcome = await deps.ledger.submit({ ...rest, kind: "settle", amount, decision, usage, asked });
  if (outcome.kind !== "done" && outcome.kind !== "duplicate") return outcome;
  const { charged, released, overrun, available } = outcome.result;
  return { kind: "settled", duplicate: outcome.kind === "duplicate", charged, released, overrun, available };
}

export type ReleaseOutcome =
  | {
      readonly kind: "released";
      readonly duplicate: boolean;
      readonly released: MicroCredits;
      readonly available: MicroCredits;
    }
  | Refusal;

/** Gives a whole hold back, because the work did not happen. Outcomes: hold_unknown, hold_closed, released. */
export async function release(deps: Pick<Deps, "ledger">, request: CloseRequest): Promise<ReleaseOutcome> {
  const outcome = await deps.ledger.submit({ ...request, kind: "release" });
  if (outcome.kind !== "done" && outcome.kind !== "duplicate") return outcome;
  const { released, available } = outcome.result;
  return { kind: "released", duplicate: outcome.kind === "duplicate", released, available };
}
