import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, jsonSchema, stepCountIs, streamText, tool } from "ai";
import type OpenAI from "openai";
import { expect, test } from "vitest";
import { ask, useSandboxModel } from "../testing.ts";

const used = await useSandboxModel();

function declare(name: string, properties: Record<string, unknown> = {}): OpenAI.ChatCompletionFunctionTool {
  const parameters = { type: "object", properties, required: Object.keys(properties) };
  return { type: "function", function: { name, parameters } };
}

const tools = [
  declare("get_weather", { city: { type: "string" } }),
  declare("get_time", { zone: { enum: ["UTC"] } }),
];

function calls(completion: OpenAI.ChatCompletion) {
  const toolCalls = completion.choices[0]?.message.tool_calls ?? [];
  return toolCalls.map((call) =>
    call.type === "function" ? [call.function.name, call.function.arguments] : [],
  );
}

test("a tool named in the question is called, with arguments that fit its schema", async () => {
  const completion = await used.client.chat.completions.create(ask("Please get weather in Paris", { tools }));
  expect(calls(completion)).toEqual([["get_weather", '{"city":"example city"}']]);
  expect(completion.choices[0]).toMatchObject({ finish_reason: "tool_calls", message: { content: null } });
});

test("a question that names no tool gets text", async () => {
  const completion = await used.client.chat.completions.create(ask("Hello", { tools }));
  expect(completion.choices[0]?.finish_reason).toBe("stop");
});

test("several tools are called in parallel, unless the caller forbids that", async () => {
  const body = ask("Use get_weather and get_time", { tools });
  expect(calls(await used.client.chat.completions.create(body))).toHaveLength(2);
  const single = await used.client.chat.completions.create({ ...body, parallel_tool_calls: false });
  expect(calls(single)).toHaveLength(1);
});

async function choose(tool_choice: OpenAI.ChatCompletionToolChoiceOption, text: string) {
  const completion = await used.client.chat.completions.create(ask(text, { tools, tool_choice }));
  return calls(completion).map(([name]) => name);
}

test("tool_choice none, required and a name are obeyed", async () => {
  expect(await choose("none", "get_weather")).toEqual([]);
  expect(await choose("required", "Hello")).toEqual(["get_weather"]);
  expect(await choose({ type: "function", function: { name: "get_time" } }, "get_weather")).toEqual([
    "get_time",
  ]);
});

test("a directive chooses the calls and their arguments, even ones nobody declared", async () => {
  const body = ask('[[sandbox: tool=get_time args={"zone":"CET"} tool=made_up]]', { tools });
  const completion = await used.client.chat.completions.create(body);
  expect(calls(completion)).toEqual([
    ["get_time", '{"zone":"CET"}'],
    ["made_up", "{}"],
  ]);
});

test("streamed calls arrive as a head and argument pieces, one token each", async () => {
  const stream = await used.client.chat.completions.create({
    ...ask("Use get_weather and get_time", { tools }),
    stream: true,
    stream_options: { include_usage: true },
  });
  const assembled: { id: string; name: string; json: string }[] = [];
  let pieces = 0;
  let tokens: number | undefined;
  for await (const chunk of stream) {
    tokens = chunk.usage?.completion_tokens ?? tokens;
    for (const delta of chunk.choices[0]?.delta.tool_calls ?? []) {
      pieces += 1;
      const call = (assembled[delta.index] ??= {
        id: delta.id ?? "",
        name: delta.function?.name ?? "",
        json: "",
      });
      call.json += delta.function?.arguments ?? "";
    }
  }
  expect(assembled.map(({ name, json }) => [name, json])).toEqual([
    ["get_weather", '{"city":"example city"}'],
    ["get_time", '{"zone":"UTC"}'],
  ]);
  expect(new Set(assembled.map((call) => call.id)).size).toBe(2);
  expect(tokens).toBe(pieces);
});

test("after the tools have answered the model answers in words that show it", async () => {
  const first = await used.client.chat.completions.create(ask("get_weather please", { tools }));
  const message = first.choices[0]?.message;
  const second = await used.client.chat.completions.create({
    model: "sandbox-small",
    tools,
    messages: [
      { role: "user", content: "get_weather please" },
      message ?? { role: "assistant" },
      { role: "tool", tool_call_id: message?.tool_calls?.[0]?.id ?? "", content: "18 degrees" },
    ],
  });
  expect(second.choices[0]?.message.content).toContain("“18 degrees”");
});

test("a tool answer without its call, and a call without its answer, are refused as by OpenAI", async () => {
  const stray = {
    model: "sandbox-small",
    messages: [{ role: "tool" as const, tool_call_id: "x", content: "" }],
  };
  await expect(used.client.chat.completions.create(stray)).rejects.toMatchObject({
    status: 400,
    param: "messages.[0].role",
  });
  const call = { id: "call_1", type: "function" as const, function: { name: "a", arguments: "{}" } };
  const unanswered = {
    model: "sandbox-small",
    messages: [
      { role: "assistant" as const, tool_calls: [call] },
      { role: "user" as const, content: "well?" },
    ],
  };
  await expect(used.client.chat.completions.create(unanswered)).rejects.toMatchObject({
    status: 400,
    param: "messages",
  });
});

test("the AI SDK runs a whole tool loop against it", async () => {
  const provider = createOpenAICompatible({ name: "sandbox", baseURL: used.model.url, includeUsage: true });
  const weather = tool({
    inputSchema: jsonSchema<{ city: string }>({ type: "object", properties: { city: { type: "string" } } }),
    execute: ({ city }) => `18 degrees in ${city}`,
  });
  const options = {
    prompt: 'get_weather [[sandbox: tool=get_weather args={"city":"Paris"}]]',
    tools: { get_weather: weather },
  };
  const model = provider("sandbox-small");
  const whole = await generateText({ ...options, model, stopWhen: stepCountIs(3) });
  expect(whole.text).toContain("18 degrees in Paris");
  const streamed = streamText({ ...options, model, stopWhen: stepCountIs(3) });
  expect(await streamed.text).toBe(whole.text);
  expect((await streamed.totalUsage).totalTokens).toBe(whole.totalUsage.totalTokens);
});
