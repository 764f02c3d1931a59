import { formatCredits } from "@bursar/contract/money";
import type { Deps } from "../deps.ts";
import type { Command, Refusal } from "../ledger/command.ts";
import { referenceOf } from "../ledger/key.ts";

/** Refusals that tell of the account or its prices. The others are the caller's mistakes: they decide nothing. */
const DECISIONS: ReadonlySet<Refusal["kind"]> = new Set([
  "account_frozen",
  "in_debt",
  "cap_exceeded",
  "parent_exhausted",
  "insufficient_credits",
]);

/** Writes the receipt of a refused command, if refusing it was a decision. */
export async function recordRefusal(
  deps: Pick<Deps, "refusals" | "clock">,
  command: Command,
  refusal: Refusal,
): Promise<void> {
  if (!DECISIONS.has(refusal.kind)) return;
  await deps.refusals.write({
    accountId: command.accountId,
    reference: referenceOf(command),
    requestId: command.requestId ?? null,
    operation: command.kind,
    code: refusal.kind,
    amount: "amount" in command ? command.amount : null,
    feature: command.feature ?? null,
    detail: { decision: command.decision ?? null, metadata: command.metadata ?? null, ...detailOf(refusal) },
    at: deps.clock.now(),
    by: command.by,
  });
}

/** What stood against it, in credits. */
export function detailOf(refusal: Refusal): Record<string, string> {
  switch (refusal.kind) {
    case "insufficient_credits":
      return { available: formatCredits(refusal.available), missing: formatCredits(refusal.missing) };
    case "in_debt":
      return { owed: formatCredits(refusal.owed) };
    case "cap_exceeded": {
      const { id, limit, window } = refusal.cap;
      return { cap: id, window, limit: formatCredits(limit), used: formatCredits(refusal.used) };
    }
    case "parent_exhausted":
      return { parent: refusal.parentId, left: formatCredits(refusal.left) };
    default:
      return {};
  }
}
