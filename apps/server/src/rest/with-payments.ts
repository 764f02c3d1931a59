import { type Payments, PaymentsUnavailable } from "@bursar/engine/payment/payments";
import type { RestDeps } from "./context.ts";
import type { Problem } from "./problem.ts";

type WithPayments = RestDeps & { readonly payments: Payments };

/** Does what needs the payment provider, or says that there is none, or that it cannot be reached. */
export async function withPayments<Answer>(
  deps: RestDeps,
  work: (deps: WithPayments) => Promise<Answer | Problem>,
): Promise<Answer | Problem> {
  const { payments } = deps;
  if (payments === null) return OFF;
  try {
    return await work({ ...deps, payments });
  } catch (error) {
    if (!(error instanceof PaymentsUnavailable)) throw error;
    deps.log.warn({ err: error }, "the payment provider cannot be reached");
    return UNAVAILABLE;
  }
}

const OFF: Problem = {
  problem: "payments_off",
  message: "No payment provider is set here: set STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET",
};

const UNAVAILABLE: Problem = {
  problem: "payment_unavailable",
  message: "The payment provider cannot be reached; ask again under the same id: nothing is charged twice",
};
