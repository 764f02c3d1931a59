import { formatCredits } from "@bursar/contract/money";
import { Budget, type OpenHold } from "./bill/budget.ts";
import type { OpenCall, Parts } from "./call.ts";
import { drop } from "./drop.ts";
import { Relay } from "./stream/relay.ts";
import { askForStream } from "./upstream/ask-stream.ts";
import { bodyFor } from "./upstream/line.ts";
import { whileWaiting } from "./while-waiting.ts";

/** A stream: up to its first token a failure costs nothing; from there on the relay bills what it delivers.
 *  `onDone` is called when it is over, which is long after this has answered. */
export async function answerStream(
  parts: Parts,
  { call, line, ask, hold, outputCap }: OpenCall,
  onDone: () => void,
): Promise<Response> {
  const { settings, engine, settlements, thinkers } = parts;
  const { headerPatienceMilliseconds } = settings;
  const { signal } = call;
  const { accountId } = call.principal;
  const body = bodyFor(line, ask, outputCap);
  const budget = new Budget(engine, hold);
  const asking = askForStream(line, { ask, accountId, body, signal, headerPatienceMilliseconds });
  const answered = await whileWaiting(budget, asking);
  if (answered.kind !== "streaming") {
    const response = await drop(parts, call, hold, answered);
    onDone();
    return response;
  }
  const { log } = engine;
  const deps = { ask, budget, outputCap, settlements, thinkers, settings, log, signal, onDone };
  return new Response(new Relay(deps, answered.stream).body, { headers: headersOf(hold) });
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
