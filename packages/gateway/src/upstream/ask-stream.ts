import type { Ask } from "../ask/ask.ts";
import type { ModelEvent } from "../stream/event.ts";
import { EventStream } from "./event-stream.ts";
import { exchange } from "./exchange.ts";
import { broken, type UpstreamFailure } from "./failure.ts";
import type { Line } from "./line.ts";

export interface Streaming {
  readonly kind: "streaming";
  readonly stream: EventStream;
}

interface Asking {
  readonly ask: Ask;
  readonly accountId: string;
  readonly body: Buffer;
  readonly signal: AbortSignal;
  readonly headerPatienceMilliseconds: number;
}

/** Whether an upstream has begun, for which its client owes the prompt, shows in its headers. */
const PARTING_MILLISECONDS = 5000;

/** Asks an upstream for a stream, again where that helps, until its first token is here: up to then a failure is an
 *  HTTP error, costs nothing and can be tried again. */
export function askForStream(line: Line, asking: Asking): Promise<Streaming | UpstreamFailure> {
  return line.resilience(asking.accountId, () => attempt(line, asking));
}

async function attempt(line: Line, asking: Asking): Promise<Streaming | UpstreamFailure> {
  const { ask, body, signal } = asking;
  const { timeouts } = line.wire;
  const answerMilliseconds = timeouts.headersMilliseconds;
  const accept = "text/event-stream";
  const partingMilliseconds = Math.min(PARTING_MILLISECONDS, answerMilliseconds);
  const sending = { path: ask.path, body, accept, answerMilliseconds, partingMilliseconds, signal };
  const answered = await exchange(line.wire, sending);
  if (answered.kind !== "answered") return answered;
  if (signal.aborted) {
    answered.response.destroy();
    return { kind: "called_off", isAnswered: true };
  }
  const stream = new EventStream(answered.response, ask.choices, timeouts);
  return firstToken(stream, asking);
}

/** Waits for the first token, but no longer than callers can wait for headers while a model thinks. */
function firstToken(stream: EventStream, asking: Asking): Promise<Streaming | UpstreamFailure> {
  const { signal, headerPatienceMilliseconds } = asking;
  return new Promise((resolve) => {
    const seen: ModelEvent[] = [];
    const finish = (failure: UpstreamFailure | null) => {
      clearTimeout(patience);
      signal.removeEventListener("abort", callOff);
      if (failure !== null) stream.destroy();
      else stream.putBack(seen);
      resolve(failure ?? { kind: "streaming", stream });
    };
    const callOff = () => finish({ kind: "called_off", isAnswered: true });
    const patience = setTimeout(() => finish(null), headerPatienceMilliseconds);
    signal.addEventListener("abort", callOff);
    stream.listen({
      onEvents: (events) => {
        seen.push(...events);
        if (events.some(isSubstance)) finish(null);
      },
      onEnd: (failure) => finish(failure ?? broken("an empty stream")),
    });
  });
}

/** More than a greeting: output, an end, or a bill. */
function isSubstance(event: ModelEvent): boolean {
  if (event.kind === "chunk") return event.outputs.length > 0 || event.finishes.length > 0;
  return event.kind === "usage";
}
