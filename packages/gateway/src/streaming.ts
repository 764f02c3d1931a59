import { formatCredits } from "@bursar/contract/money";
import type { Ask } from "./ask/ask.ts";
import { Budget, type OpenHold } from "./bill/budget.ts";
import type { Call, Parts } from "./gateway.ts";
import { errorAnswer, failureFacts } from "./http/answers.ts";
import { Relay } from "./stream/relay.ts";
import { askForStream } from "./upstream/ask-stream.ts";
import { bodyFor, type Line } from "./upstream/line.ts";
import { billPrompt } from "./whole.ts";

/** A stream: up to its first token a failure costs nothing; from there on the relay bills what it delivers.
 *  `onDone` is called when it is over, which is long after this has answered. */
export async function answerStream(
  parts: Parts,
  call: Call,
  line: Line,
  ask: Ask,
  hold: OpenHold,
  outputCap: number | null,
  onDone: () => void,
): Promise<Response> {
  const { settings, engine, settlements } = parts;
  const body = bodyFor(line, ask, outputCap);
  const { headerPatienceMilliseconds } = settings;
  const answered = await askForStream(line, { ask, body, signal: call.signal, headerPatienceMilliseconds });
  if (answered.kind !== "streaming") {
    engine.log.warn(
      { requestId: hold.requestId, model: hold.model, failure: answered },
      "an upstream gave no stream",
    );
    if (answered.kind === "called_off" && answered.isAnswered) await billPrompt(parts, hold);
    else await settlements.release(hold);
    onDone();
    return errorAnswer(failureFacts(answered), hold.requestId);
  }
  const budget = new Budget(engine, hold);
  const relay = new Relay(
    { ask, budget, settlements, settings, log: engine.log, signal: call.signal, onDone },
    answered.stream,
  );
  return new Response(relay.body, { headers: headersOf(hold) });
}

/** The cost is not known yet: it comes with the last chunk. */
function headersOf(hold: OpenHold): Record<string, string> {
  return {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
    "x-request-id": hold.requestId,
    "x-bursar-held": formatCredits(hold.amount),
    "x-bursar-remaining": formatCredits(hold.available),
  };
}
