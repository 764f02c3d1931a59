import type { Ask } from "../ask/ask.ts";
import { exchange, readBody } from "./exchange.ts";
import { broken, timedOut, type UpstreamFailure } from "./failure.ts";
import type { Line } from "./line.ts";

export interface Whole {
  readonly kind: "whole";
  readonly body: Buffer;
}

interface Asking {
  readonly ask: Ask;
  readonly accountId: string;
  readonly body: Buffer;
  readonly signal: AbortSignal;
  readonly closing: AbortSignal;
  readonly limitBytes: number;
}

/** Asks an upstream for an answer in one piece, again where that helps: nothing has reached the caller yet. A caller who
 *  leaves once it has been asked stops nothing: providers finish such an answer and charge all of it, and what it cost
 *  is in it alone. */
export function askForWhole(line: Line, asking: Asking): Promise<Whole | UpstreamFailure> {
  return line.resilience(asking.accountId, () => attempt(line, asking));
}

async function attempt(line: Line, asking: Asking): Promise<Whole | UpstreamFailure> {
  const { ask, body, signal, closing, limitBytes } = asking;
  const answerMilliseconds = line.wire.timeouts.wholeMilliseconds;
  const deadline = performance.now() + answerMilliseconds;
  const accept = "application/json";
  const partingMilliseconds = answerMilliseconds;
  const sending = { path: ask.path, body, accept, answerMilliseconds, partingMilliseconds, signal, closing };
  const answered = await exchange(line.wire, sending);
  if (answered.kind !== "answered") return answered;
  const { response } = answered;
  let failure: UpstreamFailure = broken("the answer broke off");
  const giveUp = (reason: UpstreamFailure) => {
    failure = reason;
    response.destroy();
  };
  const callOff = () => giveUp({ kind: "called_off", isAnswered: true });
  const timer = setTimeout(
    () => giveUp(timedOut("the answer did not end in time")),
    deadline - performance.now(),
  );
  closing.addEventListener("abort", callOff);
  const whole = await readBody(response, limitBytes, () => giveUp({ kind: "too_large" }));
  clearTimeout(timer);
  closing.removeEventListener("abort", callOff);
  return whole === null ? failure : { kind: "whole", body: whole };
}
