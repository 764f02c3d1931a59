import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { type SandboxModel, startSandboxModel } from "../model.ts";

export type ChatBody = OpenAI.ChatCompletionCreateParamsNonStreaming;

/** One sandbox model a test file, clean before each test, with the official client pointed at it. */
export function useSandboxModel() {
  const used = {} as { model: SandboxModel; client: OpenAI };
  beforeAll(async () => {
    used.model = await startSandboxModel();
    used.client = new OpenAI({ baseURL: used.model.url, apiKey: "sk-test-1234567890", maxRetries: 0 });
  });
  beforeEach(() => {
    used.model.faults.clear();
    used.model.requests.clear();
    used.model.scripts.clear();
  });
  afterAll(() => used.model.close());
  return used;
}

export function ask(content: string, more: Partial<ChatBody> = {}): ChatBody {
  return { model: "sandbox-small", messages: [{ role: "user", content }], ...more };
}

/** Sends JSON without a client that hides anything. */
export function post(url: string, body: unknown, init: RequestInit = {}): Promise<Response> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return fetch(url, {
    method: "POST",
    body: text,
    ...init,
    headers: { "content-type": "application/json", ...init.headers },
  });
}

/** The payloads of a stream, in order; `[DONE]` and garbage stay text. */
export function payloads(sse: string): string[] {
  return sse
    .split("\n\n")
    .filter((event) => event !== "")
    .map((event) => event.replace(/^data: /, ""));
}
