import type { MicroCredits } from "@bursar/contract/money";
import type { HoldOutcome } from "@bursar/engine/hold/hold";
import type { Denial } from "./billing.ts";
import type { RunBillingRequest } from "./purse.ts";
import { denialOf } from "./refusal.ts";

type Refused = Exclude<HoldOutcome, { kind: "held" }>;

/** What to do about a hold that was refused. Only a want of credits buys any, and only where the account wants that.
 *  null: more were bought, try again. */
export async function buyOrDeny(
  { topUp }: Pick<RunBillingRequest, "topUp">,
  refusal: Refused,
  /** All that the work needs, and not only what is missing. */
  needed: MicroCredits,
): Promise<Denial | null> {
  const isShort = refusal.kind === "insufficient_credits" || refusal.kind === "in_debt";
  if (topUp === undefined || !isShort) return denialOf(refusal);
  const outcome = await topUp.buy(refusal.kind === "in_debt" ? refusal.owed + needed : needed);
  switch (outcome.kind) {
    case "added":
      return null;
    case "off":
      return denialOf(refusal);
    case "failed":
      return {
        ...{ kind: "denied", reason: "insufficient_credits" },
        ...{ code: outcome.code, message: outcome.message },
      };
  }
}
