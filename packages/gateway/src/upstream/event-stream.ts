import type { IncomingMessage } from "node:http";
import type { UpstreamTimeouts } from "../settings.ts";
import { type ModelEvent, readEvent } from "../stream/event.ts";
import { openSplitter } from "../stream/sse.ts";
import { broken, timedOut, type UpstreamFailure } from "./failure.ts";

export interface StreamListener {
  /** Never empty; all that one read from the network brought. */
  onEvents(events: readonly ModelEvent[]): void;
  /** Once, after the last event. null: the model said that it is done. */
  onEnd(failure: UpstreamFailure | null): void;
}

type StreamTimeouts = Pick<UpstreamTimeouts, "firstOutputMilliseconds" | "idleMilliseconds">;

/** A single event is never this large; a stream that sends no end of one is broken. */
const LARGEST_EVENT_CHARACTERS = 16 * 1024 * 1024;
/** After `[DONE]` the connection gets this long to end properly, so that it can be used again. */
const GOODBYE_MILLISECONDS = 1000;

/** A model's answer as it streams in. Keeps what comes until somebody listens. Callbacks and not promises, because
 *  a thousand streams go through here chunk by chunk. */
export class EventStream {
  readonly #response: IncomingMessage;
  readonly #splitter = openSplitter();
  readonly #idleMilliseconds: number;
  #idle: NodeJS.Timeout;
  #listener: StreamListener | null = null;
  #kept: ModelEvent[] = [];
  #end: { readonly failure: UpstreamFailure | null } | null = null;
  #unfinishedChoices: number;
  /** Usage in a chunk of its own has come, and no output since. */
  #isCounted = false;
  #hasOutput = false;
  #reads = 0;
  #isOurs = false;

  constructor(response: IncomingMessage, choices: number, timeouts: StreamTimeouts) {
    this.#response = response;
    this.#unfinishedChoices = choices;
    this.#idleMilliseconds = timeouts.idleMilliseconds;
    this.#idle = setTimeout(() => this.#suspectStall(), timeouts.firstOutputMilliseconds);
    response.setEncoding("utf8");
    response.on("data", (text: string) => this.#take(text));
    response.on("end", () => this.#finish(this.#unlessComplete("the stream ended too early")));
    response.on("close", () => this.#finish(this.#unlessComplete("the connection broke")));
  }

  /** What is kept first, then the rest as it comes. */
  listen(listener: StreamListener): void {
    this.#listener = listener;
    const kept = this.#kept;
    this.#kept = [];
    if (kept.length > 0) listener.onEvents(kept);
    if (this.#end !== null) listener.onEnd(this.#end.failure);
  }

  /** Takes back what a listener was given, for the next one. */
  putBack(events: ModelEvent[]): void {
    this.#listener = null;
    this.#kept = events;
  }

  /** Stops reading, so that the upstream stops sending. `isOurs`: we wait for credits, which ends by itself; else it is
   *  the client who does not read. */
  pause(isOurs: boolean): void {
    this.#isOurs = isOurs;
    if (this.#end === null) this.#response.pause();
  }

  resume(): void {
    if (this.#end !== null || !this.#response.isPaused()) return;
    this.#response.resume();
    this.#idle.refresh();
  }

  /** Hangs up at once. Nothing is heard of it afterwards. */
  destroy(): void {
    this.#listener = null;
    this.#end ??= { failure: null };
    clearTimeout(this.#idle);
    this.#response.destroy();
  }

  #take(text: string): void {
    if (this.#end !== null) return;
    this.#reads += 1;
    this.#idle.refresh();
    const events = this.#splitter.push(text).map(readEvent);
    const last = events.findIndex(({ kind }) => kind === "done" || kind === "error" || kind === "malformed");
    const good = last === -1 ? events : events.slice(0, last);
    for (const event of good) this.#note(event);
    if (good.length > 0) this.#deliver(good);
    if (last !== -1) this.#finish(failureIn(events[last]!));
    else if (this.#splitter.pending > LARGEST_EVENT_CHARACTERS) this.#finish(broken("an event without end"));
  }

  #note(event: ModelEvent): void {
    if (event.kind === "usage") this.#isCounted = this.#hasOutput;
    if (event.kind !== "chunk") return;
    this.#unfinishedChoices -= event.finishes.length;
    // Some providers send usage before the first word, too: that is no end.
    if (event.outputs.length === 0) return;
    if (!this.#hasOutput) this.#beginOutput();
    this.#isCounted = false;
  }

  /** It has thought. From here on silence is a stall. */
  #beginOutput(): void {
    this.#hasOutput = true;
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#suspectStall(), this.#idleMilliseconds);
  }

  #deliver(events: readonly ModelEvent[]): void {
    if (this.#listener === null) this.#kept.push(...events);
    else this.#listener.onEvents(events);
  }

  #finish(failure: UpstreamFailure | null): void {
    if (this.#end !== null) return;
    this.#end = { failure };
    clearTimeout(this.#idle);
    if (failure === null) this.#sayGoodbye();
    else this.#response.destroy();
    this.#listener?.onEnd(failure);
  }

  /** All choices have their finish_reason, or usage was sent at last: then an end without `[DONE]` is an end all the same. */
  #unlessComplete(detail: string): UpstreamFailure | null {
    return this.#unfinishedChoices <= 0 || this.#isCounted ? null : broken(detail);
  }

  /** A process that was busy runs its timers before it reads what has come meanwhile: look again after reading. */
  #suspectStall(): void {
    const reads = this.#reads;
    setImmediate(() => {
      if (this.#reads !== reads) return;
      if (this.#isOurs && this.#response.isPaused()) this.#idle.refresh();
      else this.#finish(this.#stalled());
    });
  }

  /** Nothing came although we were reading: the upstream hangs. Else it is the client who does not read. */
  #stalled(): UpstreamFailure {
    return this.#response.isPaused()
      ? { kind: "called_off", isAnswered: true }
      : timedOut("the stream stalled");
  }

  #sayGoodbye(): void {
    if (this.#response.complete) return;
    const timer = setTimeout(() => this.#response.destroy(), GOODBYE_MILLISECONDS);
    this.#response.once("close", () => clearTimeout(timer));
    this.#response.resume();
  }
}

function failureIn(event: ModelEvent): UpstreamFailure | null {
  if (event.kind === "error") return broken(`error event: ${event.message}`);
  return event.kind === "malformed" ? broken("an event that is not JSON") : null;
}
