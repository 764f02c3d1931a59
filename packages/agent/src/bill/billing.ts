import type { ErrorCode } from "@bursar/contract/errors";
import type { MicroCredits } from "@bursar/contract/money";

/** A model call that is about to be made. */
export interface PlannedCall {
  /** Unique in its run, and the same when the same step is tried again. */
  readonly callId: string;
  /** Which agent asks; for the receipt. */
  readonly agent: string;
  readonly model: string;
  /** Everything that becomes input. */
  readonly texts: readonly string[];
  readonly messages: number;
}

export type Permit = {
  readonly kind: "permit";
  readonly callId: string;
  /** The model is told to stop there. */
  readonly maxOutputTokens: number;
  /** True when credits, and not the model, set that limit. */
  readonly isShort: boolean;
  /** To be told all output as it arrives: what is billed if no more is ever heard of the call. */
  heard(text: string): void;
  /** Resolves when all that was heard is reserved, which grows with it. A denial: no more is to be had, and the call
   *  must end here. Never throws. */
  paid(): Promise<Denial | null>;
};

/** As REST v1 names it, and the socket. */
export type DenialCode = ErrorCode | "auto_topup_failed" | "auto_topup_disabled";

export type Denial = {
  readonly kind: "denied";
  readonly reason: "insufficient_credits" | "budget_exhausted" | "refused";
  readonly code: DenialCode;
  readonly message: string;
};

/** Tokens as the provider counted them. `inputTokens` includes the cached ones. */
export interface CallUsage {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
}

export interface Charge {
  readonly cost: MicroCredits;
  /** What the account has left; null when the ledger could not be asked just now. */
  readonly remaining: MicroCredits | null;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** How a run pays for its model calls: asked before each, told after each. The loop knows nothing else of money. */
export interface ModelBilling {
  /** Reserves what the call may cost. Throws: it cannot be known whether there is enough; that is a no. */
  beforeModelCall(call: PlannedCall): Promise<Permit | Denial>;
  /** Charges what it did cost: by the provider's count, else (`usage` null) by what was heard. A call of which nothing
   *  was heard and nothing reported costs nothing; but its prompt where `isLeft`: whoever asked has left after the
   *  provider had begun, or leaving would be a way to make us pay. Never throws: what was delivered is billed. */
  afterModelCall(permit: Permit, usage: CallUsage | null, isLeft: boolean): Promise<Charge>;
}
