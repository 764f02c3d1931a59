import type { Log } from "@bursar/engine/deps";
import type { Refusal } from "@bursar/engine/ledger/command";
import type { Ask } from "../ask/ask.ts";
import { billFor } from "../bill/bill.ts";
import type { Budget, Growth } from "../bill/budget.ts";
import { boundOf, Meter } from "../bill/meter.ts";
import type { Settlements } from "../bill/settlements.ts";
import type { Usage } from "../bill/usage.ts";
import type { GatewaySettings } from "../settings.ts";
import type { EventStream } from "../upstream/event-stream.ts";
import type { UpstreamFailure } from "../upstream/failure.ts";
import type { ChunkHead, ModelEvent } from "./event.ts";
import { KEEP_ALIVE, sse } from "./sse.ts";
import { tailOf } from "./tail.ts";

export interface RelayDeps {
  readonly ask: Ask;
  readonly budget: Budget;
  readonly settlements: Settlements;
  readonly settings: Pick<GatewaySettings, "sliceTokens" | "reportSeconds">;
  readonly log: Log;
  /** Aborts when the client has left, or when we shut down. */
  readonly signal: AbortSignal;
  /** Called once, when the call is over and billed. */
  readonly onDone: () => void;
}

/** Why a stream ended. */
export type Ending =
  | { readonly kind: "complete" }
  | { readonly kind: "credits"; readonly reason: Refusal["kind"] | "unavailable" }
  | { readonly kind: "upstream"; readonly failure: UpstreamFailure }
  | { readonly kind: "client_gone" };

const BUFFER_BYTES = 64 * 1024;

/** Passes a model's stream on, chunk by chunk, never more of it than is paid for: reserves ahead while tokens flow,
 *  stops when credits end, and settles before it says that it is done. */
export class Relay {
  readonly body: ReadableStream<Uint8Array>;
  readonly #deps: RelayDeps;
  readonly #stream: EventStream;
  readonly #meter = new Meter();
  readonly #encoder = new TextEncoder();
  readonly #report: NodeJS.Timeout;
  readonly #callOff = () => this.#finish({ kind: "client_gone" });
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #waiting: ModelEvent[] = [];
  #ending: Ending | null = null;
  #upstreamEnd: { readonly failure: UpstreamFailure | null } | null = null;
  #growing = false;
  #stopReason: Refusal["kind"] | "unavailable" | null = null;
  #head: ChunkHead | null = null;
  #usage: Usage | null = null;
  #usageIsFinal = false;

  constructor(deps: RelayDeps, stream: EventStream) {
    this.#deps = deps;
    this.#stream = stream;
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#resume(),
        cancel: () => this.#callOff(),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: BUFFER_BYTES }),
    );
    this.#report = setInterval(() => void this.#grow(0), deps.settings.reportSeconds * 1000);
    deps.signal.addEventListener("abort", this.#callOff);
    stream.listen({ onEvents: (events) => this.#take(events), onEnd: (failure) => this.#end(failure) });
    if (deps.signal.aborted) this.#callOff();
  }

  #take(events: readonly ModelEvent[]): void {
    this.#waiting.push(...events);
    this.#deliver();
  }

  #end(failure: UpstreamFailure | null): void {
    this.#upstreamEnd = { failure };
    this.#deliver();
  }

  /** Writes what is paid for, all of it in one piece; what is not waits for the reserve to grow. */
  #deliver(): void {
    if (this.#ending !== null) return;
    let text = "";
    while (this.#waiting.length > 0 && this.#isPaid(this.#waiting[0]!))
      text += this.#pass(this.#waiting.shift()!);
    if (text !== "") this.#controller.enqueue(this.#encoder.encode(text));
    if (this.#waiting.length > 0) return this.#waitForCredits();
    if (this.#upstreamEnd !== null) return this.#finishWith(this.#upstreamEnd.failure);
    this.#growAhead();
    if ((this.#controller.desiredSize ?? 1) <= 0) this.#stream.pause();
  }

  #finishWith(failure: UpstreamFailure | null): void {
    this.#finish(failure === null ? { kind: "complete" } : { kind: "upstream", failure });
  }

  #isPaid(event: ModelEvent): boolean {
    if (event.kind !== "chunk" || event.outputs.length === 0) return true;
    const next = event.outputs.reduce((sum, output) => sum + Math.max(1, boundOf(output.text)), 0);
    if (this.#meter.atMost + next <= this.#deps.budget.outputTokens) return true;
    this.#meter.tighten();
    return this.#meter.atMost + next <= this.#deps.budget.outputTokens;
  }

  /** Takes an event into account and gives what the client sees of it. */
  #pass(event: ModelEvent): string {
    switch (event.kind) {
      case "chunk":
        this.#head ??= event.head;
        if (event.usage !== null) this.#usage = event.usage;
        this.#meter.add(event.outputs);
        return sse(event.data);
      case "usage":
        this.#head ??= event.head;
        this.#usage = event.usage;
        this.#usageIsFinal = event.usage !== null;
        return "";
      case "comment":
        return KEEP_ALIVE;
      case "done":
      case "error":
      case "malformed":
        return "";
    }
  }

  #waitForCredits(): void {
    this.#stream.pause();
    if (this.#stopReason !== null) return this.#finish({ kind: "credits", reason: this.#stopReason });
    void this.#grow(this.#sliceTokens());
  }

  #growAhead(): void {
    const left = this.#deps.budget.outputTokens - this.#meter.atMost;
    if (this.#upstreamEnd === null && this.#stopReason === null && left < this.#sliceTokens() / 2) {
      void this.#grow(this.#sliceTokens());
    }
  }

  #sliceTokens(): number {
    return this.#deps.settings.sliceTokens * this.#deps.ask.choices;
  }

  /** Reserves for this many more tokens than were counted; 0 only renews and reports. */
  async #grow(moreTokens: number): Promise<void> {
    if (this.#growing || this.#ending !== null) return;
    this.#growing = true;
    const counted = this.#meter.atMost;
    const before = this.#deps.budget.outputTokens;
    const growth = await this.#deps.budget.grow(
      counted,
      moreTokens === 0 ? 0 : counted + moreTokens + this.#nextBound(),
    );
    this.#growing = false;
    if (moreTokens > 0) this.#stopReason = this.#reasonToStop(growth, before);
    this.#deliver();
    this.#resume();
  }

  /** A reserve that grew by the last credits may still not cover the next token. */
  #reasonToStop(growth: Growth, tokensBefore: number): Refusal["kind"] | "unavailable" | null {
    if (growth.kind === "refused") return growth.refusal.kind;
    if (growth.kind === "unavailable") return "unavailable";
    return this.#deps.budget.outputTokens > tokensBefore ? null : "insufficient_credits";
  }

  #nextBound(): number {
    const next = this.#waiting[0];
    if (next?.kind !== "chunk") return 0;
    return next.outputs.reduce((sum, output) => sum + Math.max(1, boundOf(output.text)), 0);
  }

  #resume(): void {
    const hasRoom = (this.#controller.desiredSize ?? 0) > 0;
    if (this.#ending === null && this.#waiting.length === 0 && hasRoom) this.#stream.resume();
  }

  /** Once, whatever comes first. */
  #finish(ending: Ending): void {
    if (this.#ending !== null) return;
    this.#ending = ending;
    clearInterval(this.#report);
    this.#deps.signal.removeEventListener("abort", this.#callOff);
    if (ending.kind !== "complete") this.#stream.destroy();
    void this.#settle(ending).catch((error: unknown) =>
      this.#deps.log.error({ err: error }, "a stream's end failed"),
    );
  }

  async #settle(ending: Ending): Promise<void> {
    const { budget, settlements, ask, log, onDone } = this.#deps;
    const { hold } = budget;
    try {
      const facts = { hold, meter: this.#meter, reported: this.#usage, isFinal: this.#usageIsFinal };
      const bill = await billFor({ ...facts, ending: ending.kind }, log);
      const settlement = await settlements.settle(hold, bill);
      if (ending.kind !== "client_gone") {
        const tail = tailOf({ ask, ending, bill, settlement, head: this.#head, requestId: hold.requestId });
        this.#controller.enqueue(this.#encoder.encode(tail));
      }
    } finally {
      this.#close();
      onDone();
    }
  }

  #close(): void {
    try {
      this.#controller.close();
    } catch {
      // The client has cancelled it already.
    }
  }
}
