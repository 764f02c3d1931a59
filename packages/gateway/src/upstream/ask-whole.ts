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
  readonly limitBytes: number;
}

/** Asks an upstream for an answer in one piece, again where that helps: nothing has reached the caller yet. */
export function askForWhole(line: Line, asking: Asking): Promise<Whole | UpstreamFailure> {
  return line.resilience(asking.accountId, () => attempt(line, asking));
}

async function attempt(line: Line, asking: Asking): Promise<Whole | UpstreamFailure> {
  const { ask, body, signal, limitBytes } = asking;
  const answerMilliseconds = line.wire.timeouts.wholeMilliseconds;
  const deadline = performance.now() + answerMilliseconds;
  const sending = { path: ask.path, body, accept: "application/json", answerMilliseconds, signal };
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
  signal.addEventListener("abort", callOff);
  const whole = await readBody(response, limitBytes, () => giveUp({ kind: "too_large" }));
  clearTimeout(timer);
  signal.removeEventListener("abort", callOff);
  return whole === null ? failure : { kind: "whole", body: whole };
}
