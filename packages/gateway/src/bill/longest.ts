import type { MicroCredits } from "@bursar/contract/money";
import { extend } from "@bursar/engine/hold/extend";
import { costOf } from "@bursar/engine/price/decide";
import type { EngineDeps } from "../principal.ts";
import type { OpenHold } from "./budget.ts";

/** A call that nobody limits may hold this part of what is left, no more: others run at the same time, and a card must
 *  not be charged for an answer that hardly any model gives. */
const PART = 4n;

/** Grows the hold to the longest answer there is, where that is little of what is left for it. Returns what is held then;
 *  null: not so much, and the upstream must be told where to end. Buys no credits. Throws: LedgerUnavailable. */
export async function holdLongest(
  engine: EngineDeps,
  hold: OpenHold,
  left: MicroCredits,
  outputTokens: number,
): Promise<MicroCredits | null> {
  const { holdId, requestId, principal, rates, inputTokens, holdSeconds } = hold;
  const missing = costOf(rates, { inputTokens, cachedInputTokens: 0, outputTokens }) - hold.amount;
  if (missing <= 0n) return hold.amount;
  if (missing * PART > left) return null;
  const { accountId, by, caps } = principal;
  const outcome = await extend(
    { ...engine, topUps: undefined },
    {
      ...{ accountId, holdId, requestId, caps, by, amount: missing },
      id: `${holdId}.longest`,
      ttlSeconds: holdSeconds,
      keyId: principal.keyId ?? undefined,
    },
  );
  return outcome.kind === "extended" ? outcome.amount : null;
}
