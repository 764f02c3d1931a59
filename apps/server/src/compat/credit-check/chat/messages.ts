import { newRequestId } from "@bursar/contract/ids";
import { numberOf } from "../amounts.ts";
import type { CreditCheckDeps } from "../deps.ts";
import { isModelId, message } from "../fields.ts";
import type { RouteCall } from "../route.ts";
import { ask, type Outcome } from "./ask.ts";
import type { ChatFailure } from "./failure.ts";
import type { Observers } from "./observers.ts";
import { messageAnswer, newMessageId, ownSession } from "./sessions.ts";
import { openEventStream } from "./sse.ts";
import { addMessages, type ChatMessage, type ChatSession, lastMessages } from "./store.ts";

const LONGEST_CONTENT = 100_000;
const REMEMBERED_MESSAGES = 20;

export interface ChatDeps extends CreditCheckDeps {
  readonly observers: Observers;
}

interface Asking {
  readonly session: ChatSession;
  readonly content: string;
  readonly modelId: string;
  readonly requestId: string;
}

/** One message and its whole answer, billed exactly. */
export async function sendMessage(deps: ChatDeps, call: RouteCall): Promise<Response> {
  const asking = await askingOf(deps, call);
  if (asking instanceof Response) return asking;
  const { outcome, question, answer } = await converse(
    deps,
    call,
    asking,
    call.context.req.raw.signal,
    () => undefined,
  );
  const facts = { userMessage: messageAnswer(question), message: messageAnswer(answer), ...billOf(outcome) };
  if (isRefused(outcome)) return failed(outcome.failure, billOf(outcome));
  if (outcome.failure !== null) return failed(outcome.failure, facts);
  return Response.json({ ...facts, response: answer.content }, { status: 201 });
}

/** The same as it is written: `chunk`, then both `done` and `complete`, or `error`. */
export async function streamMessage(deps: ChatDeps, call: RouteCall): Promise<Response> {
  const asking = await askingOf(deps, call);
  if (asking instanceof Response) return asking;
  const left = new AbortController();
  const stream = openEventStream(() => left.abort());
  // Nothing is answered before the gate has: a no is a status, not an event.
  const opened = Promise.withResolvers<Response>();
  let isOpen = false;
  const open = () => {
    isOpen = true;
    opened.resolve(stream.response);
  };
  const onText = (content: string) => {
    if (!isOpen) open();
    stream.send("chunk", { content, text: content });
  };
  const end = ({ outcome, answer }: Conversed) => {
    if (isRefused(outcome) && !isOpen) return opened.resolve(failed(outcome.failure, billOf(outcome)));
    const facts = { messageId: answer.messageId, status: answer.status, ...billOf(outcome) };
    if (outcome.failure !== null && !isOpen) return opened.resolve(failed(outcome.failure, facts));
    if (!isOpen) open();
    if (outcome.failure !== null) {
      const { code, message: text } = outcome.failure;
      stream.send("error", { code, message: text, ...facts });
    } else for (const name of ["done", "complete"]) stream.send(name, { content: answer.content, ...facts });
    stream.end();
  };
  void converse(deps, call, asking, left.signal, onText).then(end, (error: unknown) => {
    if (!isOpen) return opened.reject(error);
    deps.log.error({ err: error, requestId: asking.requestId }, "a chat stream failed");
    stream.send("error", { code: "INTERNAL", message: "Something went wrong on our side" });
    stream.end();
  });
  return opened.promise;
}

interface Conversed {
  readonly outcome: Outcome;
  readonly question: ChatMessage;
  readonly answer: ChatMessage;
}

/** Asks the model with what was said before, keeps both messages, and lets observers see them. Of what was refused nothing
 *  is kept: it costs nothing to send. */
async function converse(
  deps: ChatDeps,
  { person }: RouteCall,
  asking: Asking,
  signal: AbortSignal,
  onText: (text: string) => void,
): Promise<Conversed> {
  const { session, content, modelId, requestId } = asking;
  const { observers, pool, clock } = deps;
  const question = messageOf({ role: "user", content, status: "complete", createdAt: clock.now() });
  const before = await lastMessages(pool, session, REMEMBERED_MESSAGES);
  const said = before.filter(({ content: text }) => text !== "");
  observers.publish(session.sessionId, { type: "message", role: "user", content });
  const asked = { person: person!, modelId, messages: [...said, question], requestId, signal };
  const outcome = await ask(deps, asked, (text) => {
    observers.publish(session.sessionId, { type: "chunk", content: text });
    onText(text);
  });
  const answer = answerOf(outcome, asking, clock.now());
  if (!isRefused(outcome)) await addMessages(pool, session, [question, answer]);
  const type = outcome.failure === null ? "complete" : "error";
  observers.publish(session.sessionId, { type, ...messageAnswer(answer) });
  return { outcome, question, answer };
}

/** The gate or the model's provider said no, and nothing came of it. Where a provider fails, it was no fault of the
 *  question's. */
function isRefused(outcome: Outcome): outcome is Outcome & { readonly failure: ChatFailure } {
  const { failure, content, credits } = outcome;
  const isNothing = content === "" && (credits ?? 0n) === 0n;
  return failure !== null && isNothing && !PROVIDERS_FAULT.has(failure.status);
}

const PROVIDERS_FAULT: ReadonlySet<ChatFailure["status"]> = new Set([429, 503, 504]);

function answerOf(
  outcome: Outcome,
  { modelId, requestId }: Asking,
  createdAt: ChatMessage["createdAt"],
): ChatMessage {
  const { content, inputTokens, outputTokens, credits, failure } = outcome;
  const cut = content === "" ? "failed" : "partial";
  return messageOf({
    ...{
      role: "assistant",
      content,
      status: failure === null ? "complete" : cut,
      createdAt,
      modelId,
      requestId,
    },
    inputTokens: inputTokens === null ? null : BigInt(inputTokens),
    outputTokens: outputTokens === null ? null : BigInt(outputTokens),
    credits,
  });
}

function messageOf(
  facts: Pick<ChatMessage, "role" | "content" | "status" | "createdAt"> & Partial<ChatMessage>,
): ChatMessage {
  const none = { modelId: null, inputTokens: null, outputTokens: null, credits: null, requestId: null };
  return { messageId: newMessageId(), ...none, ...facts };
}

async function askingOf(deps: ChatDeps, call: RouteCall): Promise<Asking | Response> {
  const session = await ownSession(deps, call);
  if (session instanceof Response) return session;
  const { content = call.body.message, modelId = session.modelId } = call.body;
  if (typeof content !== "string" || content.trim() === "" || content.length > LONGEST_CONTENT)
    return message(400, `content: must be 1 to ${LONGEST_CONTENT} characters`);
  if (!isModelId(modelId)) return message(400, "modelId: must be a model's id");
  return { session, content, modelId, requestId: newRequestId() };
}

function billOf({ inputTokens, outputTokens, credits, remaining }: Outcome) {
  return {
    usage: { inputTokens, outputTokens },
    credits: credits === null ? null : numberOf(credits),
    remainingCredits: remaining === null ? null : numberOf(remaining),
  };
}

function failed({ status, code, message: text, retryAfter }: ChatFailure, facts: object): Response {
  const answer = message(status, text, { code, ...facts });
  if (retryAfter !== undefined) answer.headers.set("retry-after", retryAfter);
  return answer;
}
