import type { Charge, Denial } from "./bill/billing.ts";

/** A tool call as the model made it: anything may be wrong with it. */
export interface MadeCall {
  readonly callId: string;
  readonly toolName: string;
  readonly input: unknown;
}

/** How a model call ended. */
export type Outcome =
  | { readonly kind: "finished"; readonly isCut: boolean }
  | { readonly kind: "stopped" }
  /** What it said is paid for, and no more can be. */
  | { readonly kind: "unpaid"; readonly denial: Denial }
  | { readonly kind: "broken"; readonly message: string };

/** What came of one model call, paid for. */
export interface Spoken {
  readonly kind: "spoken";
  readonly text: string;
  readonly calls: readonly MadeCall[];
  readonly outcome: Outcome;
  /** True when credits set the limit of the answer. */
  readonly isShort: boolean;
  readonly charge: Charge;
  /** The call that it was billed as: its name, and the life that it was made in. */
  readonly callId: string;
}
