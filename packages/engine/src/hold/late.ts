import type { HoldId } from "@bursar/contract/ids";
import type { Deps } from "../deps.ts";
import type { Cap } from "../ledger/command.ts";
import type { PriceBook } from "../price/decide.ts";
import { priceCost } from "../price/work.ts";
import { receipt } from "../receipt/receipt.ts";
import { holdAtPrices } from "./hold.ts";
import { type SettleOutcome, type SettleRequest, settleAtPrices } from "./settle.ts";

type LateDeps = Pick<Deps, "ledger" | "clock" | "refusals" | "pool">;

/** Under what terms the closed hold was opened. */
interface LateTerms {
  readonly parentId?: HoldId | undefined;
  readonly feature?: string | undefined;
  readonly caps?: readonly Cap[] | undefined;
}

/** How the hold's name ends that charges what came late. No caller can choose or name it: ids contain no space. */
export const LATE = " late";

/** Whether the hold is one of those that are open for a moment only, to charge what came late. */
export function isLate(holdId: HoldId): boolean {
  return holdId.endsWith(LATE);
}

/** Settles a hold that somebody else may have closed meanwhile, because they took this process for dead: what that has
 *  left uncharged is charged now, by a hold named after the first one, and therefore once. The work was let in before: what
 *  the account does not have becomes debt. A budget that is closed pays no more.
 *  Outcomes and throws: as of `settle`; `charged` is the sum of both. */
export async function settleInFull(
  deps: LateDeps,
  book: PriceBook,
  request: SettleRequest,
  terms: LateTerms,
): Promise<SettleOutcome> {
  const outcome = await settleAtPrices(deps, book, request);
  const priced = priceCost(book, request.cost);
  if (priced.kind !== "priced") return outcome;
  const charged = await chargedBefore(deps, request, outcome);
  if (charged === null || priced.amount <= charged) return outcome;
  const { accountId, by, requestId, metadata } = request;
  const id = `${request.holdId}${LATE}` as HoldId;
  const held = await holdAtPrices(deps, book, {
    ...{ accountId, id, by, requestId, metadata, ...terms },
    // The settlement charges beyond it, exactly.
    ...{ work: { kind: "amount", amount: 0n }, isLate: true },
  });
  if (held.kind !== "held") return held;
  const late = await settleAtPrices(deps, book, {
    ...{ ...request, holdId: id, note: "its hold was closed before it ended" },
    ...{ cost: { kind: "amount", amount: priced.amount - charged }, counted: request.cost },
  });
  return late.kind === "settled" ? { ...late, charged: charged + late.charged } : late;
}

/** null: nobody has closed it before. */
async function chargedBefore(
  deps: LateDeps,
  { accountId, holdId }: SettleRequest,
  outcome: SettleOutcome,
): Promise<bigint | null> {
  if (outcome.kind === "settled") return outcome.duplicate ? outcome.charged : null;
  if (outcome.kind !== "hold_closed") return null;
  return (await receipt(deps, accountId, holdId))?.charged ?? 0n;
}
