import { Meter } from "../bill/meter.ts";
import type { Usage } from "../bill/usage.ts";
import type { GatewaySettings } from "../settings.ts";
import type { EventStream } from "../upstream/event-stream.ts";
import { type Ending, endingOf, endingOfAbort, endingOfUpstream } from "./ending.ts";
import type { ModelEvent } from "./event.ts";
import { type FinishDeps, finish } from "./finish.ts";
import type { Passed } from "./passed.ts";
import { KEEP_ALIVE, sse } from "./sse.ts";

export interface RelayDeps extends FinishDeps {
  readonly settings: Pick<GatewaySettings, "sliceTokens" | "reportSeconds">;
  /** Aborts when the client has left, or when we shut down. */
  readonly signal: AbortSignal;
  /** Called once, when the call is over and billed. */
  readonly onDone: () => void;
}

type Chunk = Extract<ModelEvent, { kind: "chunk" }>;

/** About a minute of a model's writing; small enough for a thousand clients that do not read. */
const BUFFER_BYTES = 64 * 1024;
/** A model that is faster than the ledger gets larger slices, up to so many times the first. */
const LARGEST_SLICE = 16;

/** The last word on the cost comes right after the last word of the answer. */
const USAGE_MILLISECONDS = 2000;

/** Passes a model's stream on, chunk by chunk, never more of it than is paid for: reserves ahead while tokens flow,
 *  stops when credits end, and settles before it says that it is done. */
export class Relay {
  readonly body: ReadableStream<Uint8Array>;
  readonly #deps: RelayDeps;
  readonly #stream: EventStream;
  readonly #passed: Passed = {
    meter: new Meter(),
    head: null,
    usage: null,
    isUsageStale: false,
    usageData: null,
    finishes: new Map(),
  };
  readonly #report: NodeJS.Timeout;
  readonly #onAbort = () => this.#abort(endingOfAbort(this.#deps.signal));
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #waiting: ModelEvent[] = [];
  /** Output, in all, that the first of `waiting` needs and that is not reserved. null: nothing waits for credits. */
  #neededTokens: number | null = null;
  #isGrowing = false;
  /** A slice ahead was refused. Asked for again only when nothing is left: credits may have come by then. */
  #isRefused = false;
  #sliceTokens: number;
  #isLeft = false;
  #untilUsage: NodeJS.Timeout | undefined;
  #upstreamEnd: Ending | null = null;
  #ending: Ending | null = null;

  constructor(deps: RelayDeps, stream: EventStream) {
    this.#deps = deps;
    this.#stream = stream;
    this.#sliceTokens = deps.settings.sliceTokens * deps.ask.choices;
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#steer(),
        cancel: () => this.#abort({ kind: "client_gone" }),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: BUFFER_BYTES }),
    );
    this.#report = setInterval(() => this.#renew(), deps.settings.reportSeconds * 1000);
    deps.signal.addEventListener("abort", this.#onAbort);
    stream.listen({
      onEvents: (events) => {
        this.#waiting.push(...events);
        if (this.#neededTokens === null) this.#flow();
      },
      onEnd: (failure) => {
        this.#upstreamEnd = endingOfUpstream(failure);
        if (this.#neededTokens === null) this.#finish(this.#upstreamEnd);
      },
    });
    if (deps.signal.aborted) this.#onAbort();
  }

  /** Writes what is paid for, all of it in one piece; what is not waits for the reserve to grow. */
  #flow(): void {
    if (this.#ending !== null) return;
    let text = "";
    let taken = 0;
    this.#neededTokens = null;
    for (const event of this.#waiting) {
      if (event.kind === "chunk" && !this.#isPaid(event)) break;
      text += this.#pass(event);
      taken += 1;
    }
    this.#waiting = this.#waiting.slice(taken);
    if (text !== "" && !this.#isLeft) this.#controller.enqueue(Buffer.from(text));
    if (this.#neededTokens === null && this.#upstreamEnd !== null) return this.#finish(this.#upstreamEnd);
    if (this.#neededTokens === null) this.#lookAhead();
    else if (!this.#isGrowing) void this.#growAtOnce(this.#neededTokens);
    this.#steer();
  }

  #isPaid(chunk: Chunk): boolean {
    const { meter } = this.#passed;
    const { outputTokens } = this.#deps.budget;
    if (meter.boundWith(chunk.outputs) <= outputTokens) return true;
    meter.tighten();
    const needed = meter.countWith(chunk.outputs);
    if (needed > outputTokens) this.#neededTokens = needed;
    return needed <= outputTokens;
  }

  /** Takes an event into account and gives what the client sees of it. */
  #pass(event: ModelEvent): string {
    const passed = this.#passed;
    switch (event.kind) {
      case "chunk":
        passed.head ??= event.head;
        this.#noteUsage(event.usage, event.outputs.length > 0);
        if (event.usage !== null) passed.usageData = null;
        passed.meter.add(event.outputs);
        for (const { index, reason } of event.finishes) passed.finishes.set(index, reason);
        return sse(event.data);
      case "usage":
        passed.head ??= event.head;
        this.#noteUsage(event.usage, false);
        passed.usageData = event.usage === null ? null : event.data;
        return "";
      case "comment":
        return KEEP_ALIVE;
      case "done":
      case "error":
      case "malformed":
        return "";
    }
  }

  #noteUsage(usage: Usage | null, hasOutput: boolean): void {
    const passed = this.#passed;
    passed.usage = usage ?? passed.usage;
    if (usage !== null) passed.isUsageStale = false;
    else if (hasOutput) passed.isUsageStale = true;
  }

  #lookAhead(): void {
    const { budget } = this.#deps;
    const { meter } = this.#passed;
    const { limitTokens } = budget.hold;
    const isNear = () => meter.atMost + this.#sliceTokens / 2 > budget.outputTokens;
    if (this.#isGrowing || this.#isRefused || budget.outputTokens >= limitTokens || !isNear()) return;
    meter.tighten();
    if (isNear()) void this.#growAhead(Math.min(budget.outputTokens + this.#sliceTokens, limitTokens));
  }

  /** For streams too slow to do so by growing: renews the hold, and reports the cost so far. */
  #renew(): void {
    if (!this.#isGrowing) void this.#growAhead(0);
  }

  async #growAhead(upToTokens: number): Promise<void> {
    const growth = await this.#grow(upToTokens);
    // Ended from outside, as with its run: nothing more is delivered.
    if (growth.kind === "refused" && growth.refusal.kind === "hold_closed")
      return this.#finish(endingOf(growth));
    this.#isRefused = growth.kind !== "grown" && upToTokens > 0;
    // The stream has come to the end of its reserve meanwhile. After a refusal it asks once more.
    if (this.#neededTokens !== null) this.#flow();
  }

  async #growAtOnce(neededTokens: number): Promise<void> {
    const { settings, ask } = this.#deps;
    this.#sliceTokens = Math.min(this.#sliceTokens * 2, settings.sliceTokens * ask.choices * LARGEST_SLICE);
    const growth = await this.#grow(neededTokens + this.#sliceTokens);
    if (growth.kind === "grown") this.#flow();
    else this.#finish(endingOf(growth));
  }

  async #grow(upToTokens: number) {
    this.#isGrowing = true;
    // What is reported is billed if this process dies: counted, not bounded.
    this.#passed.meter.tighten();
    const growth = await this.#deps.budget.grow(this.#passed.meter.atMost, upToTokens);
    this.#isGrowing = false;
    return growth;
  }

  /** Reads on only while there is credit and the client takes what there is. */
  #steer(): void {
    if (this.#ending !== null) return;
    const hasRoom = this.#isLeft || (this.#controller.desiredSize ?? 0) > 0;
    const isShort = this.#neededTokens !== null;
    if (!isShort && hasRoom) this.#stream.resume();
    else this.#stream.pause(isShort);
  }

  /** A client that has left with the whole answer, as those do who read to a finish_reason and no further, pays what the
   *  upstream says it cost: it knows what was thought unseen, and what was cached. */
  #abort(ending: Ending): void {
    const { finishes } = this.#passed;
    if (ending.kind !== "client_gone" || finishes.size < this.#deps.ask.choices) return this.#finish(ending);
    if (this.#isLeft || this.#ending !== null) return;
    this.#isLeft = true;
    this.#untilUsage = setTimeout(() => this.#finish(ending), USAGE_MILLISECONDS);
    this.#steer();
  }

  /** Once, whatever comes first. */
  #finish(ending: Ending): void {
    if (this.#ending !== null) return;
    this.#ending = ending;
    const { signal, log, onDone } = this.#deps;
    clearInterval(this.#report);
    clearTimeout(this.#untilUsage);
    signal.removeEventListener("abort", this.#onAbort);
    if (ending.kind !== "complete") this.#stream.destroy();
    finish(this.#deps, this.#passed, ending)
      .then((tail) => this.#close(tail))
      .catch((error: unknown) => log.error({ err: error }, "a stream's end failed"))
      .finally(onDone);
  }

  /** Nothing where the client has cancelled. */
  #close(tail: string): void {
    try {
      if (tail !== "") this.#controller.enqueue(Buffer.from(tail));
      this.#controller.close();
    } catch {
      // It has left while the settlement was made.
    }
  }
}
