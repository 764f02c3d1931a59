import { expect, test } from "vitest";
import { useSandboxModel } from "./testing.ts";

const used = await useSandboxModel();

test("the older endpoint answers with at most 16 tokens unless asked for more", async () => {
  const completion = await used.client.completions.create({
    model: "sandbox-small",
    prompt: "Once upon a time",
  });
  expect(completion).toMatchObject({
    object: "text_completion",
    usage: { prompt_tokens: 4, completion_tokens: 16 },
  });
  expect(completion.choices[0]?.finish_reason).toBe("length");
});

test("a stream says and counts the same as the whole", async () => {
  const body = { model: "sandbox-small", prompt: "[[sandbox: tokens=20]] Once", max_tokens: 100 };
  const whole = await used.client.completions.create(body);
  const stream = await used.client.completions.create({
    ...body,
    stream: true,
    stream_options: { include_usage: true },
  });
  let text = "";
  let usage: unknown;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.text ?? "";
    usage = chunk.usage ?? usage;
  }
  expect(text).toBe(whole.choices[0]?.text);
  expect(usage).toEqual(whole.usage);
});

test("an empty completion is answered", async () => {
  const body = { model: "sandbox-small", prompt: "[[sandbox: empty]]", stop: "never" };
  expect((await used.client.completions.create(body)).choices[0]?.text).toBe("");
});
