import { billFor } from "./bill/bill.ts";
import type { OpenHold } from "./bill/budget.ts";
import { Meter } from "./bill/meter.ts";
import type { Call, Parts } from "./call.ts";
import { errorAnswer, failureFacts } from "./http/answers.ts";
import { endingOfAbort } from "./stream/ending.ts";
import type { UpstreamFailure } from "./upstream/failure.ts";
import { logFailure } from "./upstream/failure-log.ts";

/** Ends a call that got no answer. Nothing was delivered, so nothing is charged; but a client who leaves after the
 *  upstream has begun pays for the prompt, or leaving would be a way to make us pay. */
export async function drop(
  parts: Parts,
  call: Call,
  hold: OpenHold,
  failure: UpstreamFailure,
): Promise<Response> {
  const { engine, settlements } = parts;
  logFailure(engine.log, hold, failure);
  if (hasLeft(call, failure)) {
    const delivered = { hold, meter: new Meter(), reported: null, isFinal: false, ending: "client_gone" };
    await settlements.settle(hold, await billFor(delivered, engine.log));
  } else {
    await settlements.release(hold);
  }
  return errorAnswer(failureFacts(failure), hold.requestId);
}

function hasLeft(call: Call, failure: UpstreamFailure): boolean {
  if (failure.kind !== "called_off" || !failure.isAnswered) return false;
  return endingOfAbort(call.signal).kind === "client_gone";
}
