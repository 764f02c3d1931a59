import type { Refusal } from "@bursar/engine/ledger/command";
import type { Budget, Growth } from "../bill/budget.ts";
import type { Meter } from "../bill/meter.ts";
import type { Usage } from "../bill/usage.ts";
import type { EventStream } from "../upstream/event-stream.ts";
import type { UpstreamFailure } from "../upstream/failure.ts";
import type { ChunkHead, ModelEvent } from "./event.ts";
import type { Outlet } from "./outlet.ts";
import { KEEP_ALIVE, sse } from "./sse.ts";

/** How a stream came to its end. */
export type Ending =
  | { readonly kind: "complete" }
  /** Credits ended, or the account may not go on for another reason. */
  | { readonly kind: "stopped"; readonly refusal: Refusal }
  | { readonly kind: "ledger_unavailable" }
  | { readonly kind: "upstream_failed"; readonly failure: UpstreamFailure }
  | { readonly kind: "client_gone" }
  | { readonly kind: "shut_down" };

export interface RelayParts {
  readonly stream: EventStream;
  readonly budget: Budget;
  readonly meter: Meter;
  readonly outlet: Outlet;
  /** Output tokens to reserve ahead, over all choices. */
  readonly sliceTokens: number;
  /** All that the choices may become: beyond it nothing is reserved ahead. */
  readonly limitTokens: number;
  readonly onEnd: (ending: Ending) => void;
}

type Chunk = Extract<ModelEvent, { kind: "chunk" }>;

/** Hands a model's chunks on to the client, never more than is paid for, and reserves the next slice while there is
 *  still some left of this one. Everything happens in callbacks; only a ledger that is slower than the model, or a
 *  client that is, makes it pause. */
export class Relay {
  readonly #parts: RelayParts;
  #waiting: ModelEvent[] = [];
  /** The first of `waiting` needs more than is reserved: output of this many tokens in all. */
  #neededTokens: number | null = null;
  #isGrowing = false;
  /** A slice ahead was refused. Asked again only when there is nothing left, for credits may have come by then. */
  #isRefused = false;
  #sliceTokens: number;
  #upstreamEnd: Ending | null = null;
  #ending: Ending | null = null;
  /** What the upstream's last chunk said, and the chunk itself, which comes after the settlement. */
  usage: Usage | null = null;
  usageData: string | null = null;
  head: ChunkHead | null = null;
  /** Why each choice ended. */
  readonly finishes = new Map<number, string>();

  constructor(parts: RelayParts) {
    this.#parts = parts;
    this.#sliceTokens = parts.sliceTokens;
  }

  start(): void {
    this.#parts.stream.listen({
      onEvents: (events) => {
        this.#waiting.push(...events);
        if (this.#neededTokens === null) this.#flow();
      },
      onEnd: (failure) => this.#upstreamEnded(failure),
    });
  }

  /** The client has room for more. */
  drained(): void {
    this.#steer();
  }

  /** Ends it from outside. */
  end(ending: Ending): void {
    if (this.#ending !== null) return;
    this.#ending = ending;
    if (ending.kind !== "complete") this.#parts.stream.destroy();
    this.#parts.onEnd(ending);
  }

  /** Renews the hold and reports the cost so far, for a stream too slow to do so by growing. */
  report(): void {
    if (!this.#isGrowing) void this.#grow(0);
  }

  #flow(): void {
    let text = "";
    let taken = 0;
    this.#neededTokens = null;
    for (const event of this.#waiting) {
      if (event.kind === "chunk" && !this.#isPaidFor(event)) break;
      text += this.#take(event);
      taken += 1;
    }
    this.#waiting = this.#waiting.slice(taken);
    if (text !== "") this.#parts.outlet.write(text);
    if (this.#neededTokens === null) this.#lookAhead();
    else if (!this.#isGrowing) void this.#growAtOnce(this.#neededTokens);
    this.#steer();
    if (this.#neededTokens === null && this.#upstreamEnd !== null) this.end(this.#upstreamEnd);
  }

  #isPaidFor(chunk: Chunk): boolean {
    const { meter, budget } = this.#parts;
    if (meter.boundWith(chunk.outputs) <= budget.outputTokens) return true;
    meter.tighten();
    const needed = meter.countWith(chunk.outputs);
    if (needed <= budget.outputTokens) return true;
    this.#neededTokens = needed;
    return false;
  }

  #take(event: ModelEvent): string {
    switch (event.kind) {
      case "chunk":
        return this.#takeChunk(event);
      case "usage":
        this.usage = event.usage;
        this.usageData = event.data;
        return "";
      case "comment":
        return KEEP_ALIVE;
      case "done":
      case "error":
      case "malformed":
        return "";
    }
  }

  #takeChunk(chunk: Chunk): string {
    this.head ??= chunk.head;
    this.usage = chunk.usage ?? this.usage;
    this.#parts.meter.add(chunk.outputs);
    for (const { index, reason } of chunk.finishes) this.finishes.set(index, reason);
    return sse(chunk.data);
  }

  #lookAhead(): void {
    const { budget, meter, limitTokens } = this.#parts;
    const isNear = () => meter.atMost + this.#sliceTokens / 2 > budget.outputTokens;
    if (this.#isGrowing || this.#isRefused || budget.outputTokens >= limitTokens || !isNear()) return;
    meter.tighten();
    if (isNear()) void this.#grow(Math.max(budget.outputTokens, meter.atMost) + this.#sliceTokens);
  }

  /** The model was faster than the ledger: from now on larger slices. */
  async #growAtOnce(neededTokens: number): Promise<void> {
    this.#sliceTokens = Math.min(this.#sliceTokens * 2, this.#parts.sliceTokens * LARGEST_SLICE);
    const growth = await this.#grow(neededTokens + this.#sliceTokens);
    if (growth.kind !== "grown") this.end(endingOf(growth));
  }

  /** 0 tokens only renews and reports. */
  async #grow(upToTokens: number): Promise<Growth> {
    const { budget, meter } = this.#parts;
    this.#isGrowing = true;
    const growth = await budget.grow(meter.atMost, upToTokens);
    this.#isGrowing = false;
    this.#isRefused = growth.kind !== "grown" && upToTokens > 0;
    // Also after a refusal: what needs more now has to ask for itself.
    if (this.#ending === null && this.#neededTokens !== null) this.#flow();
    return growth;
  }

  #upstreamEnded(failure: UpstreamFailure | null): void {
    this.#upstreamEnd = failure === null ? { kind: "complete" } : endingOfFailure(failure);
    if (this.#neededTokens === null) this.end(this.#upstreamEnd);
  }

  #steer(): void {
    const { stream, outlet } = this.#parts;
    if (this.#ending !== null) return;
    if (this.#neededTokens !== null || outlet.isFull) stream.pause();
    else stream.resume();
  }
}

const LARGEST_SLICE = 16;

function endingOf(growth: Exclude<Growth, { kind: "grown" }>): Ending {
  if (growth.kind === "unavailable") return { kind: "ledger_unavailable" };
  return { kind: "stopped", refusal: growth.refusal };
}

function endingOfFailure(failure: UpstreamFailure): Ending {
  return failure.kind === "called_off" ? { kind: "client_gone" } : { kind: "upstream_failed", failure };
}
