import { formatCredits } from "@bursar/contract/money";
import { type Cap, UNLIMITED } from "../ledger/command.ts";
import type { Priced } from "../price/work.ts";

/** What a receipt keeps of why: the pricing, and the rules that applied. Nothing where neither says anything, so that
 *  the plainest spend stays the smallest. */
export function decisionFor(
  priced: Priced,
  caps: readonly Cap[] | undefined,
): Readonly<Record<string, unknown>> | undefined {
  const limits = (caps ?? []).filter(({ limit }) => limit < UNLIMITED);
  if (limits.length === 0) return priced.decision;
  const policy = {
    caps: limits.map(({ id, limit, window }) => ({ id, limit: formatCredits(limit), window })),
  };
  return { ...priced.decision, policy };
}
