import type { AccountId } from "@bursar/contract/ids";
import type { MicroCredits } from "@bursar/contract/money";
import type { TopUpOutcome } from "./outcome.ts";

/** Why no credits came while a request waited for them. */
export type NotCovered =
  | Exclude<TopUpOutcome["kind"], "added" | "attempt_open">
  /** A person has to confirm the payment first. */
  | "requires_action"
  /** It is still under way; the credits come later. */
  | "timed_out";

export type Covering =
  | { readonly kind: "added"; readonly credits: MicroCredits }
  | { readonly kind: "not_covered"; readonly reason: NotCovered };

/** The gate's way to credits that are not there yet. */
export interface TopUps {
  /** Buys credits for a request that needs so many in all, if the account's policy allows it, and waits for them.
   *  Resolves within the bounded time, or by the deadline (by `performance.now()`) where one is given.
   *  Throws: database unreachable; the caller's own refusal then stands. */
  cover(
    accountId: AccountId,
    needed: MicroCredits,
    options?: { readonly feature?: string | null; readonly deadline?: number },
  ): Promise<Covering>;
  readonly waitSeconds: number;
  /** Whether the account's policy is on, whatever it could buy right now. Throws: database unreachable. */
  isOn(accountId: AccountId): Promise<boolean>;
}

type Refused =
  | {
      readonly kind: "insufficient_credits";
      readonly available: MicroCredits;
      readonly missing: MicroCredits;
    }
  | { readonly kind: "in_debt"; readonly owed: MicroCredits };

/** A refusal that a top-up was asked about says what came of it. */
export interface WithTopUp {
  readonly topUp?: NotCovered | undefined;
}

/** Asks the ledger, and once credits were bought asks again: the request that ran dry proceeds. Without top-ups it asks
 *  once. However often credits come and go meanwhile, it ends within the bounded time. */
export async function withTopUp<Outcome extends { readonly kind: string }>(
  topUps: TopUps | undefined,
  request: { readonly accountId: AccountId; readonly feature?: string | undefined },
  ask: () => Promise<Outcome>,
): Promise<Outcome & WithTopUp> {
  let outcome = await ask();
  if (topUps === undefined || !isShort(outcome)) return outcome;
  const { accountId, feature = null } = request;
  const deadline = performance.now() + topUps.waitSeconds * 1000;
  for (let round = 0; round < ROUNDS && isShort(outcome); round++) {
    // Where nobody can say, the refusal stands.
    const covering = await topUps
      .cover(accountId, neededOf(outcome), { feature, deadline })
      .catch((): Covering => ({ kind: "not_covered", reason: "unavailable" }));
    if (covering.kind === "added") outcome = await ask();
    else if (covering.reason === "disabled") return outcome;
    else return lastAsk(ask, covering.reason);
  }
  return outcome;
}

const ROUNDS = 3;

/** Credits may have come while nobody bought any: another request's purchase, or a grant. */
async function lastAsk<Outcome extends { readonly kind: string }>(
  ask: () => Promise<Outcome>,
  reason: NotCovered,
): Promise<Outcome & WithTopUp> {
  const outcome = await ask();
  return isShort(outcome) ? { ...outcome, topUp: reason } : outcome;
}

function neededOf(refused: Refused): MicroCredits {
  return refused.kind === "in_debt" ? 0n : refused.available + refused.missing;
}

function isShort<Outcome extends { readonly kind: string }>(outcome: Outcome): outcome is Outcome & Refused {
  return outcome.kind === "insufficient_credits" || outcome.kind === "in_debt";
}
