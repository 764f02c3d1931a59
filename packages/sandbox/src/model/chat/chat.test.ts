import { expect, test } from "vitest";
import { ask, useSandboxModel } from "../testing.ts";
import { countTokens } from "../tokens.ts";
import { countPromptTokens } from "./prompt.ts";

const used = await useSandboxModel();

test("a first question gets a friendly answer that mentions it, the same every time", async () => {
  const first = await used.client.chat.completions.create(ask("What is a prepaid credit?"));
  const second = await used.client.chat.completions.create(ask("What is a prepaid credit?"));
  const content = first.choices[0]?.message.content ?? "";
  expect(content).toContain("“What is a prepaid credit?”");
  expect(content).toContain("no real money was spent");
  expect(second.choices[0]?.message.content).toBe(content);
  expect(second.id).not.toBe(first.id);
  expect(first).toMatchObject({
    object: "chat.completion",
    model: "sandbox-small",
    choices: [{ finish_reason: "stop" }],
  });
});

test("usage counts the tokens of the documented tokenizer", async () => {
  const body = ask("How many tokens is this?");
  const { usage, choices } = await used.client.chat.completions.create(body);
  const completion = countTokens(choices[0]?.message.content ?? "");
  const prompt = 3 + 3 + countTokens("How many tokens is this?");
  expect(usage).toMatchObject({
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
  });
});

test("the prompt's count covers pictures, tools and earlier tool calls", () => {
  const call = { id: "1", type: "function" as const, function: { name: "look", arguments: "{}" } };
  const count = countPromptTokens({
    messages: [
      { role: "user", content: [{ type: "text", text: "see" }, { type: "image_url" }] },
      { role: "assistant", content: null, tool_calls: [call] },
    ],
    tools: [{ type: "function", function: { name: "look" } }],
  });
  const tools = countTokens('[{"type":"function","function":{"name":"look"}}]');
  expect(count).toBe(3 + (3 + 1 + 85) + (3 + 3) + tools);
});

test("tokens=N answers with exactly N tokens", async () => {
  for (const tokens of [0, 1, 7, 500]) {
    const { usage, choices } = await used.client.chat.completions.create(
      ask(`[[sandbox: tokens=${tokens}]]`),
    );
    expect(usage?.completion_tokens).toBe(tokens);
    expect(countTokens(choices[0]?.message.content ?? "")).toBe(tokens);
  }
});

test.each(["max_tokens", "max_completion_tokens"])(
  "%s ends the answer with finish_reason length",
  async (name) => {
    const cut = await used.client.chat.completions.create(ask("[[sandbox: tokens=10]]", { [name]: 9 }));
    expect(cut.choices[0]?.finish_reason).toBe("length");
    expect(cut.usage?.completion_tokens).toBe(9);
    const exact = await used.client.chat.completions.create(ask("[[sandbox: tokens=10]]", { [name]: 10 }));
    expect(exact.choices[0]?.finish_reason).toBe("stop");
  },
);

test("a stop word ends the answer before it and is not billed", async () => {
  const body = ask('[[sandbox: say="one two three four"]]', { stop: ["four", " three"] });
  const { choices, usage } = await used.client.chat.completions.create(body);
  expect(choices[0]).toMatchObject({ message: { content: "one two" }, finish_reason: "stop" });
  expect(usage?.completion_tokens).toBe(2);
});

test("n gives several different answers and bills them all", async () => {
  const { choices, usage } = await used.client.chat.completions.create(ask("Name a colour", { n: 3 }));
  expect(new Set(choices.map((choice) => choice.message.content)).size).toBe(3);
  expect(choices.map((choice) => choice.index)).toEqual([0, 1, 2]);
  const total = choices.reduce((sum, choice) => sum + countTokens(choice.message.content ?? ""), 0);
  expect(usage?.completion_tokens).toBe(total);
});

test("json_object and json_schema answer with JSON", async () => {
  const object = await used.client.chat.completions.create(
    ask("As JSON", { response_format: { type: "json_object" } }),
  );
  expect(JSON.parse(object.choices[0]?.message.content ?? "")).toMatchObject({ question: "As JSON" });
  const schema = {
    type: "object",
    properties: {
      city: { type: "string" },
      kind: { enum: ["a", "b"] },
      many: { type: "array", minItems: 1, items: { type: "integer" } },
    },
  };
  const format = { type: "json_schema" as const, json_schema: { name: "place", schema } };
  const shaped = await used.client.chat.completions.create(ask("As JSON", { response_format: format }));
  expect(JSON.parse(shaped.choices[0]?.message.content ?? "")).toEqual({
    city: "example city",
    kind: "a",
    many: [1],
  });
});

test("cached=N reports cached tokens, never more than the prompt", async () => {
  const some = await used.client.chat.completions.create(ask("[[sandbox: cached=5]] hi"));
  expect(some.usage?.prompt_tokens_details?.cached_tokens).toBe(5);
  const all = await used.client.chat.completions.create(ask("[[sandbox: cached=5000]] hi"));
  expect(all.usage?.prompt_tokens_details?.cached_tokens).toBe(all.usage?.prompt_tokens);
});

test("sandbox-large remembers a long prompt and caches its beginning in steps of 128; sandbox-small does not", async () => {
  const system = { role: "system" as const, content: "word ".repeat(1500) };
  const turn = (content: string) => ({ messages: [system, { role: "user" as const, content }] });
  const cachedTokens = async (model: string, content: string) => {
    const { usage } = await used.client.chat.completions.create({ model, ...turn(content) });
    return usage?.prompt_tokens_details?.cached_tokens;
  };
  expect(await cachedTokens("sandbox-large", "first")).toBe(0);
  expect(await cachedTokens("sandbox-large", "second")).toBe(Math.floor(1504 / 128) * 128);
  expect(await cachedTokens("sandbox-small", "first")).toBe(0);
  expect(await cachedTokens("sandbox-small", "first")).toBe(0);
});

test("sandbox-reasoning bills thinking that is never shown, and thinking alone can use up the limit", async () => {
  const body = ask("[[sandbox: tokens=10]]", { model: "sandbox-reasoning" });
  const { usage } = await used.client.chat.completions.create(body);
  expect(usage).toMatchObject({ completion_tokens: 74, completion_tokens_details: { reasoning_tokens: 64 } });
  const spent = await used.client.chat.completions.create({ ...body, max_completion_tokens: 30 });
  expect(spent.choices[0]).toMatchObject({ finish_reason: "length", message: { content: "" } });
  expect(spent.usage?.completion_tokens).toBe(30);
});

test("the list of models names every model, and each can be looked up", async () => {
  const page = await used.client.models.list();
  expect(page.data.map((model) => model.id)).toEqual([
    "sandbox-small",
    "sandbox-large",
    "sandbox-reasoning",
    "sandbox-scripted",
    "sandbox-coder",
    "amazon.nova-micro-v1:0",
    "amazon.nova-lite-v1:0",
    "amazon.titan-text-express-v1",
    "meta.llama3-70b-instruct-v1:0",
    "sandbox-embedding",
  ]);
  await expect(used.client.models.retrieve("sandbox-large")).resolves.toMatchObject({ object: "model" });
  await expect(used.client.models.retrieve("gpt-9")).rejects.toMatchObject({
    status: 404,
    code: "model_not_found",
  });
});
