import type { ErrorCode } from "@bursar/contract/errors";
import type { Refusal } from "@bursar/engine/ledger/command";
import type { WithTopUp } from "@bursar/engine/topup/cover";
import { numberOf } from "./amounts.ts";
import { message } from "./fields.ts";

type Refused =
  | (Refusal & WithTopUp)
  | { readonly kind: "model_unknown"; readonly model: string }
  | { readonly kind: "feature_unknown" };

/** The ledger's no in the words of this API: 402 for credits, 403 for a frozen account, 409 for a conflict. */
export function refused(refusal: Refused): Response {
  switch (refusal.kind) {
    case "insufficient_credits": {
      const { available, missing } = refusal;
      const facts = { availableCredits: numberOf(available), missingCredits: numberOf(missing) };
      const told = { code: "INSUFFICIENT_CREDITS", ...facts, ...topUpOf(refusal) };
      return message(402, "Insufficient credits", told);
    }
    case "in_debt": {
      const told = { code: "IN_DEBT", owedCredits: numberOf(refusal.owed), ...topUpOf(refusal) };
      return message(402, "Insufficient credits", told);
    }
    case "cap_exceeded":
    case "parent_exhausted":
      return message(402, "The budget is used up", { code: "BUDGET_USED_UP" });
    case "account_frozen":
      return message(403, "The account is frozen", { code: "ACCOUNT_FROZEN" });
    case "key_conflict":
      return message(409, "This id was used for something else", { code: "CONFLICT" });
    case "hold_closed":
      return message(409, "The session has ended", { code: "SESSION_ENDED" });
    case "hold_unknown":
      return message(404, "sessionId: is no session of yours");
    case "account_unknown":
      return message(404, "userId: names nobody with an account");
    case "amount_out_of_range":
      return message(422, "credits: must be more than 0 and at most 1000000000");
    case "model_unknown":
      return message(404, `modelId: ${refusal.model} has no price`);
    default:
      return message(409, `Refused: ${refusal.kind}`);
  }
}

/** Why the account's auto top-up did not help, where it is on. */
function topUpOf({ topUp }: WithTopUp) {
  return topUp === undefined || topUp === "disabled" ? {} : { topUp };
}

/** The codes of the gateway that are about credits. */
export const CREDIT_CODES: ReadonlySet<string> = new Set<ErrorCode>([
  "insufficient_credits",
  "in_debt",
  "cap_exceeded",
]);
