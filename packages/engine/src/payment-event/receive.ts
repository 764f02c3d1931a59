import type { PaymentDeps } from "../payment/deps.ts";
import { insertEvent } from "./store.ts";

export type ReceiveOutcome =
  | { readonly kind: "stored"; readonly isNew: boolean }
  /** Not signed by the provider for us, or too old to be told from a replay. Nothing is stored. */
  | { readonly kind: "refused" };

/** Takes an event in: once it is answered with yes, it is on disk. What it means is worked out later, by `processEvents`.
 *  Throws: database unreachable; the provider then sends it again. */
export async function receiveEvent(
  deps: PaymentDeps,
  rawBody: string,
  signature: string,
): Promise<ReceiveOutcome> {
  const event = deps.payments.verifyEvent(rawBody, signature);
  if (event === null) return { kind: "refused" };
  return { kind: "stored", isNew: await insertEvent(deps.pool, event, deps.clock.now()) };
}
