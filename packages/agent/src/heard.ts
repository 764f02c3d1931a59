import { isTokenCount, outputTokensIn } from "@bursar/engine/price/reported";
import type { LanguageModelUsage, TextStreamPart, ToolSet } from "ai";
import type { CallUsage, Denial, Permit } from "./bill/billing.ts";
import type { MadeCall, Outcome } from "./spoken.ts";

/** Takes in an answer as it streams: counts all of it, shows what is for people, keeps what is for the loop. */
export class Heard {
  text = "";
  /** As the provider counted; null while it has not said. */
  usage: CallUsage | null = null;
  readonly calls: MadeCall[] = [];
  outcome: Outcome = { kind: "broken", message: "The model's answer broke off" };
  readonly #permit: Permit;
  readonly #step: number;
  readonly #show: (type: "text" | "reasoning", text: string) => void;

  constructor(permit: Permit, step: number, show: (type: "text" | "reasoning", text: string) => void) {
    this.#permit = permit;
    this.#step = step;
    this.#show = show;
  }

  take(part: TextStreamPart<ToolSet>): void {
    switch (part.type) {
      case "text-delta":
        this.text += part.text;
        this.#hear("text", part.text);
        break;
      case "reasoning-delta":
        this.#hear("reasoning", part.text);
        break;
      case "tool-input-start":
        this.#permit.heard(part.toolName);
        break;
      case "tool-input-delta":
        this.#permit.heard(part.delta);
        break;
      case "tool-call":
        this.#addCall(part.toolCallId, part.toolName, part.input);
        break;
      case "finish-step":
        // Of an answer that broke off, what had been counted by then is not all of it.
        this.usage = part.rawFinishReason === undefined ? null : usageOf(part.usage);
        this.#finish(part.finishReason);
        break;
      case "abort":
        // The SDK's own time limits end a stream in the same way as a cancelled run does.
        this.fail(part.reason ?? "The model took too long", part.reason?.includes("Timeout") !== true);
        break;
      case "error":
        this.fail(part.error, false);
        break;
      default:
        break;
    }
  }

  /** No more of it can be paid for. */
  stop(denial: Denial): void {
    this.outcome = { kind: "unpaid", denial };
  }

  fail(error: unknown, isCancelled: boolean): void {
    if (this.outcome.kind === "stopped" || this.outcome.kind === "unpaid") return;
    const message = error instanceof Error ? error.message : String(error);
    this.outcome = isCancelled
      ? { kind: "stopped" }
      : { kind: "broken", message: `The model failed: ${message}` };
  }

  #hear(type: "text" | "reasoning", text: string): void {
    if (text === "") return;
    this.#permit.heard(text);
    this.#show(type, text);
  }

  /** Providers that give no ids, or the same again, get ours. */
  #addCall(id: string, toolName: string, input: unknown): void {
    const isTaken = id === "" || this.calls.some(({ callId }) => callId === id);
    const callId = isTaken ? `call_${this.#step}_${this.calls.length}` : id;
    this.calls.push({ callId, toolName, input });
  }

  #finish(reason: string): void {
    if (reason === "error") this.fail("it reported an error", false);
    else this.outcome = { kind: "finished", isCut: reason === "length" };
  }
}

/** null: it is none that can be billed. Some send zeros where they have not counted. */
function usageOf(usage: LanguageModelUsage): CallUsage | null {
  const { inputTokens, outputTokens: shownTokens, inputTokenDetails, raw } = usage;
  if (!isTokenCount(inputTokens) || !isTokenCount(shownTokens)) return null;
  if (inputTokens === 0 && shownTokens === 0) return null;
  const reported = { input: inputTokens, shown: shownTokens, total: raw?.["total_tokens"] };
  const cached = inputTokenDetails.cacheReadTokens;
  const cachedInputTokens = isTokenCount(cached) ? Math.min(cached, inputTokens) : 0;
  return { inputTokens, cachedInputTokens, outputTokens: outputTokensIn(reported) };
}
