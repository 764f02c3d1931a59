import { isSuspended } from "@bursar/agent/suspend";
import type { AccountId } from "@bursar/contract/ids";
import { type MicroCredits, parseCredits } from "@bursar/contract/money";
import type { SocketErrorName } from "@bursar/contract/socket/errors";
import type { Deps } from "@bursar/engine/deps";
import { whyNotCovered } from "@bursar/engine/gate/chain";
import type { PriceBook } from "@bursar/engine/price/decide";
import { receipt } from "@bursar/engine/receipt/receipt";
import type { Gateway } from "@bursar/gateway/gateway";
import { openSplitter } from "@bursar/gateway/stream/sse";
import type { AgentRunner, Run, RunEnd, RunOutput } from "./runner.ts";

interface ChatRunnerDeps extends Pick<Deps, "pool" | "prices"> {
  readonly gateway: Pick<Gateway, "chatCompletions">;
}

/** Answers a prompt by one metered call of a model, without tools. The gateway holds, meters, stops and bills. */
export function createChatRunner(deps: ChatRunnerDeps): Pick<AgentRunner, "run"> {
  return { run: (run, output) => answerByChat(deps, run, output) };
}

interface Chunk {
  readonly choices?: readonly {
    readonly delta?: { readonly content?: string | null };
    readonly finish_reason?: string | null;
  }[];
  readonly bursar?: { readonly cost: string; readonly reason?: string; readonly topUp?: string };
  readonly error?: { readonly code?: string; readonly message?: string };
}

/** The call is asked again in every life of a prompt, for it has no steps that could be kept: each time under an id of
 *  its own, so that each is billed once. */
export function inLife(requestId: string, life: number): string {
  return life === 1 ? requestId : `${requestId}.life${life}`;
}

async function answerByChat(deps: ChatRunnerDeps, run: Run, output: RunOutput): Promise<RunEnd> {
  const { prompt, signal, journal } = run;
  const requestId = inLife(run.requestId, journal.life);
  const model = prompt.model ?? cheapest(await deps.prices.current());
  if (model === null) return failed("model_unknown", "No model has a price", 0n);
  const response = await deps.gateway.chatCompletions({
    body: {
      model,
      stream: true,
      stream_options: { include_usage: true },
      messages: [...(prompt.history ?? []), { role: "user", content: prompt.prompt }],
      ...(prompt.maxOutputTokens === undefined ? {} : { max_completion_tokens: prompt.maxOutputTokens }),
    },
    signal,
    principal: { ...run.principal, caps: [...run.principal.caps, ...budgetCap(run)] },
    requestId,
  });
  const charged = () => billed(deps, run.principal.accountId, requestId);
  if (!response.ok) return refusedBy(response, signal, charged);
  const heard = await listen(response, (text) => {
    if (!signal.aborted) output.text(text);
  });
  // Of a call that was called off the gateway says nothing more, but its stream ends only after it was billed.
  const cost = heard.cost ?? (await charged());
  if (isSuspended(signal) && !heard.isWhole) return { kind: "suspended" };
  output.cost({ model, cost, requestId });
  return endOf(heard, cost + journal.cut, signal);
}

/** A cap that only this prompt counts in. */
function budgetCap({ budget, requestId }: Run) {
  return budget === null ? [] : [{ id: `prompt:${requestId}`, limit: budget, window: "total" as const }];
}

interface Heard {
  text: string;
  cost: MicroCredits | null;
  reason: string | null;
  /** What came of the auto top-up that was asked for more. */
  topUp: string | null;
  finish: string | null;
  failure: { readonly code?: string; readonly message?: string } | null;
  isWhole: boolean;
}

/** Reads the stream to its end. */
async function listen(response: Response, onText: (text: string) => void): Promise<Heard> {
  const heard: Heard = {
    ...{ text: "", cost: null, reason: null, topUp: null },
    ...{ finish: null, failure: null, isWhole: false },
  };
  const splitter = openSplitter();
  const decoder = new TextDecoder();
  for await (const bytes of response.body as AsyncIterable<Uint8Array>) {
    for (const { data } of splitter.push(decoder.decode(bytes, { stream: true }))) {
      if (data === "[DONE]") heard.isWhole = true;
      else if (data !== null) learn(heard, JSON.parse(data) as Chunk, onText);
    }
  }
  return heard;
}

function learn(heard: Heard, chunk: Chunk, onText: (text: string) => void): void {
  const choice = chunk.choices?.[0];
  const text = choice?.delta?.content ?? "";
  heard.finish = choice?.finish_reason ?? heard.finish;
  heard.failure = chunk.error ?? heard.failure;
  if (chunk.bursar !== undefined) {
    heard.cost = parseCredits(chunk.bursar.cost);
    heard.reason = chunk.bursar.reason ?? null;
    heard.topUp = chunk.bursar.topUp ?? null;
  }
  if (text === "") return;
  heard.text += text;
  onText(text);
}

function endOf(heard: Heard, cost: MicroCredits, signal: AbortSignal): RunEnd {
  const output = { text: heard.text };
  if (signal.aborted && !heard.isWhole) return { kind: "ended", how: "cancelled", output, cost };
  if (heard.failure !== null) {
    const { code = "upstream_failed", message = "The model failed" } = heard.failure;
    return failed(code as SocketErrorName, message, cost);
  }
  const why = heard.topUp === null ? null : whyNotCovered(heard.topUp);
  if (why !== null) return refused(why[0], why[1], cost);
  if (heard.reason === "insufficient_credits" || heard.reason === "cap_exceeded")
    return {
      kind: "ended",
      how: heard.reason === "cap_exceeded" ? "limit" : "insufficient_credits",
      output,
      cost,
    };
  if (heard.reason !== null)
    return failed(heard.reason as SocketErrorName, "The credits could not be had", cost);
  if (!heard.isWhole) return failed("upstream_failed", "The model's answer broke off", cost);
  return { kind: "ended", how: heard.finish === "length" ? "limit" : "complete", output, cost };
}

/** A call that was called off before its first word may have cost its prompt. */
async function refusedBy(
  response: Response,
  signal: AbortSignal,
  charged: () => Promise<MicroCredits>,
): Promise<RunEnd> {
  if (isSuspended(signal)) return { kind: "suspended" };
  if (signal.aborted) return { kind: "ended", how: "cancelled", output: { text: "" }, cost: await charged() };
  const { error } = (await response.json()) as { error: { code: string; message: string; topUp?: string } };
  const why = error.topUp === undefined ? null : whyNotCovered(error.topUp);
  if (why !== null) return refused(why[0], why[1], 0n);
  if (error.code === "key_conflict") return failed("prompt_repeated", "This prompt has run before", 0n);
  return failed(error.code as SocketErrorName, error.message, 0n);
}

async function billed(
  { pool }: ChatRunnerDeps,
  accountId: AccountId,
  requestId: string,
): Promise<MicroCredits> {
  const found = await receipt({ pool }, accountId, requestId);
  return found?.charged ?? 0n;
}

function refused(error: SocketErrorName, message: string, cost: MicroCredits): RunEnd {
  return { kind: "refused", error, message, cost };
}

function failed(error: SocketErrorName, message: string, cost: MicroCredits): RunEnd {
  return { kind: "failed", error, message, cost };
}

/** The cheapest model that writes. */
function cheapest({ body }: PriceBook): string | null {
  const writing = Object.entries(body.models).filter(([, price]) => price.outputPerMillion > 0n);
  const sorted = writing.sort(([, a], [, b]) => (a.outputPerMillion < b.outputPerMillion ? -1 : 1));
  return sorted[0]?.[0] ?? null;
}
