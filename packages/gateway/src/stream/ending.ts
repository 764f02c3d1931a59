import type { Refusal } from "@bursar/engine/ledger/command";
import type { NotCovered } from "@bursar/engine/topup/cover";
import type { Growth } from "../bill/budget.ts";
import type { UpstreamFailure } from "../upstream/failure.ts";

/** Why a stream ended. */
export type Ending =
  | { readonly kind: "complete" }
  | {
      readonly kind: "credits";
      readonly reason: Refusal["kind"] | "unavailable";
      /** What came of the auto top-up that was asked. */
      readonly topUp?: NotCovered | undefined;
    }
  | { readonly kind: "upstream"; readonly failure: UpstreamFailure }
  | { readonly kind: "client_gone" }
  | { readonly kind: "shut_down" };

/** The reason of an abort that is ours and not the client's. */
export const SHUT_DOWN = "the gateway shuts down";

export function endingOfAbort(signal: AbortSignal): Ending {
  return { kind: signal.reason === SHUT_DOWN ? "shut_down" : "client_gone" };
}

export function endingOfUpstream(failure: UpstreamFailure | null): Ending {
  return failure === null ? { kind: "complete" } : { kind: "upstream", failure };
}

export function endingOf(growth: Exclude<Growth, { kind: "grown" }>): Ending {
  if (growth.kind === "unavailable") return { kind: "credits", reason: "unavailable" };
  const { kind: reason, topUp } = growth.refusal;
  return { kind: "credits", reason, topUp };
}
