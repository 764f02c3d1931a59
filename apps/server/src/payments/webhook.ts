import { newRequestId } from "@bursar/contract/ids";
import type { AdvanceDeps } from "@bursar/engine/payment/deps";
import { receiveEvent } from "@bursar/engine/payment-event/receive";
import type { Context, Hono } from "hono";
import { readText } from "../rest/input.ts";
import { answerProblem, type Problem } from "../rest/problem.ts";
import { unexpected } from "../rest/unexpected.ts";

const PATH = "/api/stripe/webhook";
/** Stripe's own events are a few kilobytes. */
const BODY_LIMIT_BYTES = 1 << 20;

/** Where the payment provider tells what has happened. 200 means that the event is on disk; whatever is not signed for
 *  us, or is stale, is refused and leaves nothing. `onEvent` may see to it at once; the background does in any case. */
export function mountWebhook(app: Hono, deps: AdvanceDeps, onEvent: () => void): void {
  app.post(PATH, async (context) => {
    const requestId = newRequestId();
    try {
      return await receive(context, deps, requestId, onEvent);
    } catch (error) {
      return answerProblem(unexpected(deps, error, requestId, PATH), requestId);
    }
  });
}

async function receive(
  context: Context,
  deps: AdvanceDeps,
  requestId: string,
  onEvent: () => void,
): Promise<Response> {
  const rawBody = await readText(context.req.raw, BODY_LIMIT_BYTES);
  if (rawBody === null) return answerProblem(TOO_LARGE, requestId);
  const outcome = await receiveEvent(deps, rawBody, context.req.header("stripe-signature") ?? "");
  if (outcome.kind === "refused") return answerProblem(REFUSED, requestId);
  if (outcome.isNew) onEvent();
  return context.json({ received: true, duplicate: !outcome.isNew });
}

const TOO_LARGE: Problem = {
  problem: "body_too_large",
  message: `The body must be at most ${BODY_LIMIT_BYTES} bytes`,
};

const REFUSED: Problem = {
  problem: "invalid_signature",
  message:
    "Stripe-Signature: must sign this very body with this endpoint's secret, within the last 5 minutes",
  param: "Stripe-Signature",
};
