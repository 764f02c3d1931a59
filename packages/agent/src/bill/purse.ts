import type { AccountId, HoldId } from "@bursar/contract/ids";
import type { MicroCredits } from "@bursar/contract/money";
import type { Deps } from "@bursar/engine/deps";
import type { Cap } from "@bursar/engine/ledger/command";
import type { DenialCode } from "./billing.ts";
import type { CountTokens } from "./tokens.ts";

export type BillingDeps = Pick<Deps, "ledger" | "clock" | "prices" | "refusals" | "log" | "pool"> & {
  readonly countTokens: CountTokens;
  /** How often a running call leaves word of its cost so far; default 10 s. */
  readonly reportMilliseconds?: number;
};

/** Who pays for a run. */
export interface Payer {
  readonly accountId: AccountId;
  readonly by: string;
  readonly keyId?: string | undefined;
  readonly caps?: readonly Cap[] | undefined;
}

/** What became of the wish for more credits. */
export type MoreCredits =
  | { readonly kind: "added" }
  /** Nobody has switched it on. */
  | { readonly kind: "off" }
  | { readonly kind: "failed"; readonly code: DenialCode; readonly message: string };

/** The account's own way to more credits. */
export interface TopUp {
  /** Whether it is switched on, whatever it could buy right now. */
  isOn(): Promise<boolean>;
  /** Buys for work that needs so many in all; what is there already counts. */
  buy(needed: MicroCredits): Promise<MoreCredits>;
}

export interface RunBillingRequest {
  readonly runId: string;
  readonly payer: Payer;
  /** What the run may cost at most, reserved at its start; null: whatever the account has. */
  readonly budget: MicroCredits | null;
  /** It has begun in another process, and its budget with it. */
  readonly isResumed?: boolean;
  /** Buys more when a call cannot begin, or go on, for want of credits. Absent: nothing is bought. */
  readonly topUp?: TopUp | undefined;
}

/** A hold lives this long without news: longer than any one model call. */
export const CALL_SECONDS = 900;
/** What a run spends on: grants may be for this alone, and usage is shown by it. */
export const FEATURE = "agent";

/** What every command of a run carries: `bursar explain <run>` finds all of them. */
export function signedBy({ runId, payer }: RunBillingRequest) {
  const { accountId, by, keyId } = payer;
  return { accountId, by, keyId, requestId: runId };
}

/** "run_x" and "req_x" become "hold_x". */
export function holdIdOf(name: string): HoldId {
  return `hold_${name.replace(/^(?:run|req)_/, "")}` as HoldId;
}
