import { expect, test } from "vitest";
import { z } from "zod";
import { ask, post, useSandboxModel } from "./testing.ts";

const errorBody = z.strictObject({
  error: z.strictObject({
    message: z.string().min(1),
    type: z.string(),
    param: z.string().nullable(),
    code: z.string().nullable(),
  }),
});

const used = await useSandboxModel();

async function refusal(body: unknown, path = "/chat/completions") {
  const response = await post(`${used.model.url}${path}`, body);
  const { error } = errorBody.parse(await response.json());
  return [response.status, error.param, error.code];
}

const messages = [{ role: "user", content: "Hi" }];

test.each([
  ["not JSON", "{", [400, null, null]],
  ["not an object", "[]", [400, null, null]],
  ["no model", { messages }, [400, "model", "missing_required_parameter"]],
  ["no messages", { model: "sandbox-small" }, [400, "messages", "missing_required_parameter"]],
  ["no message", { model: "sandbox-small", messages: [] }, [400, "messages", "invalid_value"]],
  ["messages as text", { model: "sandbox-small", messages: "Hi" }, [400, "messages", "invalid_type"]],
  [
    "a message without role",
    { model: "sandbox-small", messages: [{}] },
    [400, "messages[0].role", "missing_required_parameter"],
  ],
  ["a limit of nothing", { ...ask("Hi"), max_tokens: 0 }, [400, "max_tokens", "invalid_value"]],
  ["a limit above the model's", { ...ask("Hi"), max_tokens: 40_000 }, [400, "max_tokens", "invalid_value"]],
  ["stream_options without stream", { ...ask("Hi"), stream_options: {} }, [400, "stream_options", null]],
  ["a prompt beyond the context", ask("word ".repeat(130_000)), [400, "messages", "context_length_exceeded"]],
  ["an unknown model", ask("Hi", { model: "gpt-9" }), [404, null, "model_not_found"]],
  ["an embedding model", ask("Hi", { model: "sandbox-embedding" }), [404, null, "model_not_found"]],
  ["a misspelt directive", ask("[[sandbox: dealy=1]]"), [400, "messages", "sandbox_directive"]],
])("%s is refused and named", async (_, body, expected) => {
  expect(await refusal(body)).toEqual(expected);
});

test("an unknown path is 404", async () => {
  expect(await refusal({}, "/nowhere")).toEqual([404, null, null]);
});

test("every answer carries a request id", async () => {
  const response = await post(`${used.model.url}/chat/completions`, "{");
  expect(response.headers.get("x-request-id")).toBe(used.model.requests.list()[0]?.requestId);
});
