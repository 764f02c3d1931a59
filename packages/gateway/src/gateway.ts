import { ratesFor } from "@bursar/engine/price/decide";
import { openThinkers } from "@bursar/engine/thinker/thinkers";
import type { Ask, Invalid, Reader } from "./ask/ask.ts";
import { readChat } from "./ask/chat.ts";
import { readCompletion } from "./ask/completion.ts";
import { readEmbedding } from "./ask/embedding.ts";
import { checkExtras } from "./ask/extras.ts";
import { checkNames } from "./ask/names.ts";
import { holdIdOf, openHold } from "./bill/open.ts";
import { openSettlements } from "./bill/settlements.ts";
import type { Call, OpenCall, Parts, RunningCall } from "./call.ts";
import { errorAnswer, refusalFacts, SHUTTING_DOWN } from "./http/answers.ts";
import type { EngineDeps } from "./principal.ts";
import { DEFAULT_SETTINGS, type GatewaySettings, type Upstream } from "./settings.ts";
import { SHUT_DOWN } from "./stream/ending.ts";
import { answerStream } from "./streaming.ts";
import { loadTokenizer } from "./tokens/tokenizer.ts";
import { openLines } from "./upstream/line.ts";
import { answerWhole } from "./whole.ts";

export interface GatewayDeps {
  readonly engine: EngineDeps;
  readonly upstreams: readonly Upstream[];
  readonly settings?: Partial<GatewaySettings>;
}

/** The calls of OpenAI's API, metered. Each answers with a Response, also for errors.
 *  Throws: LedgerUnavailable, before any upstream was asked: that is a no. */
export interface Gateway {
  chatCompletions(call: Call): Promise<Response>;
  completions(call: Call): Promise<Response>;
  embeddings(call: Call): Promise<Response>;
  /** Takes no new calls, lets the running ones end for a while, then ends and bills them. */
  close(graceMilliseconds?: number): Promise<void>;
}

export function createGateway(deps: GatewayDeps): Gateway {
  const settings = { ...DEFAULT_SETTINGS, ...deps.settings };
  const { engine } = deps;
  const parts = {
    engine,
    settings,
    lines: openLines(deps.upstreams, settings),
    settlements: openSettlements(engine),
    thinkers: openThinkers(engine),
  };
  const running = new Running();
  const serve = (read: Reader) => (call: Call) =>
    running.serve(call, (tracked, onDone) => answer(parts, tracked, read, onDone));
  // Needed when the first stream ends; loading it then would make that client wait.
  setTimeout(() => void loadTokenizer(), 1000).unref();
  return {
    chatCompletions: serve(readChat),
    completions: serve(readCompletion),
    embeddings: serve(readEmbedding),
    close: async (graceMilliseconds = settings.drainSeconds * 1000) => {
      await running.drain(graceMilliseconds);
      await parts.settlements.drain(SETTLEMENT_DRAIN_MILLISECONDS);
      parts.lines.close();
    },
  };
}

const SETTLEMENT_DRAIN_MILLISECONDS = 5000;
/** For calls that were ended to be billed, and to say so. */
const ENDING_MILLISECONDS = 5000;

/** gate → hold → upstream → settle. */
async function answer(parts: Parts, call: RunningCall, read: Reader, onDone: () => void): Promise<Response> {
  const { requestId } = call;
  const reading = read(call.body);
  if (reading.kind === "invalid") return done(onDone, invalidAnswer(reading, requestId));
  const { ask } = reading;
  const book = await parts.engine.prices.current();
  const rates = ratesFor(book, ask.model);
  const line = parts.lines.find(ask.model);
  if (rates === null || line === null) return done(onDone, unknownModel(ask, rates !== null, requestId));
  const unfit = checkNames(ask.body) ?? checkExtras(ask.body, line.upstream.allow);
  if (unfit !== null) return done(onDone, invalidAnswer(unfit, requestId));
  const { principal } = call;
  const canStop = ask.streams && !(await parts.thinkers.has(ask.model));
  const opening = { ask, canStop, book, rates, requestId, principal, settings: parts.settings };
  const opened = await openHold(parts.engine, opening).catch((error: unknown) => {
    // The hold may have been made although its answer was lost: it must not keep the caller's credits.
    void parts.settlements.release({ holdId: holdIdOf(requestId), principal, requestId });
    throw error;
  });
  if (opened.kind === "refused") return done(onDone, errorAnswer(refusalFacts(opened), requestId));
  if (opened.kind === "repeated") {
    return done(
      onDone,
      errorAnswer({ code: "key_conflict", message: "This request was made before" }, requestId),
    );
  }
  return run(parts, { ...opened, call, line, ask }, onDone);
}

async function run(parts: Parts, open: OpenCall, onDone: () => void): Promise<Response> {
  try {
    if (open.ask.streams) return await answerStream(parts, open, onDone);
    return done(onDone, await answerWhole(parts, open));
  } catch (error) {
    // A bug of ours must not keep the caller's credits.
    await parts.settlements.release(open.hold);
    throw error;
  }
}

function done(onDone: () => void, response: Response): Response {
  onDone();
  return response;
}

function invalidAnswer({ param, message }: Invalid, requestId: string): Response {
  return errorAnswer({ code: "invalid_request", status: 400, message, param }, requestId);
}

function unknownModel(ask: Ask, isPriced: boolean, requestId: string): Response {
  const message = isPriced
    ? `No provider is configured for the model "${ask.model}"`
    : `The model "${ask.model}" has no price, so it cannot be used; GET /v1/models lists those that have one`;
  return errorAnswer({ code: "model_unknown", message, param: "model" }, requestId);
}

/** The calls under way, so that a shutdown can wait for them and end them. */
class Running {
  readonly #closings = new Set<AbortController>();
  #isClosing = false;
  #onEmpty: (() => void) | null = null;

  async serve(
    call: Call,
    work: (call: RunningCall, onDone: () => void) => Promise<Response>,
  ): Promise<Response> {
    if (this.#isClosing) {
      return errorAnswer(SHUTTING_DOWN, call.requestId);
    }
    const [controller, closing] = [new AbortController(), new AbortController()];
    const abort = () => controller.abort();
    closing.signal.addEventListener("abort", () => controller.abort(SHUT_DOWN));
    call.signal.addEventListener("abort", abort, { once: true });
    if (call.signal.aborted) abort();
    this.#closings.add(closing);
    const onDone = () => {
      call.signal.removeEventListener("abort", abort);
      this.#closings.delete(closing);
      if (this.#closings.size === 0) this.#onEmpty?.();
    };
    try {
      return await work({ ...call, signal: controller.signal, closing: closing.signal }, onDone);
    } catch (error) {
      onDone();
      throw error;
    }
  }

  async drain(milliseconds: number): Promise<void> {
    this.#isClosing = true;
    if (!(await this.#isEmptyWithin(milliseconds))) {
      for (const closing of this.#closings) closing.abort();
      await this.#isEmptyWithin(ENDING_MILLISECONDS);
    }
  }

  #isEmptyWithin(milliseconds: number): Promise<boolean> {
    if (this.#closings.size === 0) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), milliseconds);
      this.#onEmpty = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }
}
