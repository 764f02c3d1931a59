import OpenAI from "openai";
import { afterAll, beforeEach } from "vitest";
import { startSandboxModel } from "../model.ts";

export type ChatBody = OpenAI.ChatCompletionCreateParamsNonStreaming;

/** One sandbox model a test file, clean before each test, with the official client pointed at it. */
export async function useSandboxModel() {
  const model = await startSandboxModel();
  const client = new OpenAI({ baseURL: model.url, apiKey: "sk-test-1234567890", maxRetries: 0 });
  beforeEach(() => {
    model.faults.clear();
    model.requests.clear();
    model.scripts.clear();
  });
  afterAll(() => model.close());
  return { model, client };
}

export function ask(content: string, more: Partial<ChatBody> = {}): ChatBody {
  return { model: "sandbox-small", messages: [{ role: "user", content }], ...more };
}

/** Sends JSON without a client that hides anything. */
export function post(url: string, body: unknown, init: Omit<RequestInit, "body"> = {}): Promise<Response> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return fetch(url, { method: "POST", body: text, ...init });
}

/** The payloads of a stream, in order; `[DONE]` and garbage stay text. */
export function payloads(sse: string): string[] {
  return sse
    .split("\n\n")
    .filter((event) => event !== "")
    .map((event) => event.replace(/^data: /, ""));
}
