import type { Client } from "@bursar/client";
import type { ChatEnd, ChatMessage } from "@bursar/client/chat";
import { printable } from "../agent/diff.ts";
import type { Context, Look } from "../context.ts";
import { amount, count, creditsText } from "../output/amount.ts";

/** A conversation so far. */
export interface Session {
  readonly client: Client;
  readonly account: { readonly accountId?: string };
  readonly model: string;
  readonly extra: Readonly<Record<string, unknown>>;
  readonly history: ChatMessage[];
}

/** Streams the answer to stdout and its cost to stderr, or all as one JSON document; the session remembers both sides.
 *  Throws: what the client throws, and the signal's reason. */
export async function answerTo(
  session: Session,
  message: string,
  context: Context,
  signal?: AbortSignal,
): Promise<ChatEnd> {
  session.history.push({ role: "user", content: message });
  const { text, end } = await stream(session, context.isJson() ? () => {} : show, signal);
  session.history.push({ role: "assistant", content: text });
  if (context.isJson()) {
    const { kind: _, ...facts } = end;
    context.print({ text, model: session.model, ...facts }, () => text);
    return end;
  }
  process.stderr.write(`${costLine(end, session.model, context.look(process.stderr))}\n`);
  return end;
}

/** How a model itself ends. Anything else is the gateway's reason for stopping it. */
const MODELS_OWN_ENDS: ReadonlySet<string> = new Set(["stop", "length", "tool_calls", "content_filter"]);

export function wasStopped({ finishReason }: ChatEnd): boolean {
  return finishReason !== null && !MODELS_OWN_ENDS.has(finishReason);
}

function show(text: string): void {
  process.stdout.write(process.stdout.isTTY ? printable(text) : text);
}

/** An answer that breaks off ends its line, so that what is said about it begins on a new one. */
async function stream(session: Session, show: (text: string) => void, signal: AbortSignal | undefined) {
  const { client, model, history, extra } = session;
  let text = "";
  let end: ChatEnd | undefined;
  try {
    const options = signal === undefined ? {} : { signal };
    for await (const part of client.chat({ model, messages: history, ...extra }, options)) {
      if (part.kind === "end") end = part;
      else show(part.text);
      text += part.kind === "end" ? "" : part.text;
    }
  } finally {
    if (text !== "") show("\n");
  }
  if (end === undefined) throw new Error("a chat ended without its end");
  return { text, end: await withCost(session, end) };
}

/** The stream says the cost itself; where it does not, the receipt does. */
async function withCost({ client, account }: Session, end: ChatEnd): Promise<ChatEnd> {
  if (end.cost !== null || end.requestId === null) return end;
  const receipt = await client.getReceipt(end.requestId, account).catch(() => null);
  if (receipt === null) return end;
  const available = receipt.entries.at(-1)?.availableAfter ?? null;
  return { ...end, cost: receipt.charged, available };
}

export function costLine(
  { cost, available, usage, requestId, finishReason }: ChatEnd,
  model: string,
  look: Look,
): string {
  const { paint } = look;
  const tokens =
    usage === null ? "" : ` for ${count(usage.inputTokens)} + ${count(usage.outputTokens)} tokens`;
  const price = cost === null ? "cost unknown" : creditsText(cost);
  const left = available === null ? "" : `, ${amount(available)} left`;
  const line = paint.dim(`${price}${tokens} of ${model}${left} · ${requestId ?? ""}`.trimEnd());
  const isCut = finishReason !== null && finishReason !== "stop";
  return isCut ? `${paint.yellow(`The answer ended early: ${finishReason}`)}\n${line}` : line;
}
