import { formatCredits, type MicroCredits } from "@bursar/contract/money";
import type { HoldOutcome } from "@bursar/engine/hold/hold";
import type { Denial } from "./billing.ts";

type Refused = Exclude<HoldOutcome, { kind: "held" }>;

/** What a refused amount could be lowered to. */
export function leftOf(refusal: Refused): MicroCredits {
  switch (refusal.kind) {
    case "insufficient_credits":
      return refusal.available;
    case "cap_exceeded":
      return refusal.cap.limit - refusal.used;
    case "parent_exhausted":
      return refusal.left;
    default:
      return 0n;
  }
}

/** Why a run may not go on, for the person who started it. */
export function denialOf(refusal: Refused): Denial {
  const denied = (reason: Denial["reason"], message: string): Denial => {
    return { kind: "denied", reason, code: refusal.kind, message };
  };
  switch (refusal.kind) {
    case "insufficient_credits": {
      const { available, missing } = refusal;
      const left = `${formatCredits(available)} credits are left, and ${formatCredits(missing)} more are needed`;
      return denied("insufficient_credits", left);
    }
    case "in_debt":
      return denied("insufficient_credits", `The account owes ${formatCredits(refusal.owed)} credits`);
    case "parent_exhausted":
      return denied(
        "budget_exhausted",
        `Of the run's budget, ${formatCredits(refusal.left)} credits are left`,
      );
    case "cap_exceeded": {
      const { cap, used } = refusal;
      const [limit, counted] = [formatCredits(cap.limit), formatCredits(used)];
      return denied(
        "budget_exhausted",
        `The limit ${cap.id} of ${limit} credits is reached: ${counted} are used`,
      );
    }
    case "account_frozen":
      return denied("refused", "The account is frozen");
    case "key_revoked":
      return denied("refused", "The API key has been revoked");
    case "key_expired":
      return denied("refused", "The API key has expired");
    case "hold_closed":
    case "hold_unknown":
      return denied("budget_exhausted", "The run's budget has been closed");
    default:
      return denied("refused", `The ledger refused: ${refusal.kind}`);
  }
}

/** Its hold cannot pay for the work twice. */
export const repeated: Denial = {
  kind: "denied",
  reason: "refused",
  code: "key_conflict",
  message: "This has run before, under the same id",
};
