import { expect, test } from "vitest";
import { useSandboxModel } from "./testing.ts";
import { countTokens } from "./tokens.ts";

const used = await useSandboxModel();
const model = "sandbox-embedding";

function embed(input: string, name = model) {
  return used.client.embeddings.create({ model: name, input });
}

async function vectorOfCat(dimensions: number): Promise<number[]> {
  const { data } = await used.client.embeddings.create({ model, input: "cat", dimensions });
  return data[0]?.embedding ?? [];
}

test("the same text gives the same unit vector, another text another", async () => {
  const { data, usage } = await used.client.embeddings.create({ model, input: ["cat", "dog", "cat"] });
  const [cat, dog, again] = data.map((item) => item.embedding);
  expect(cat).toHaveLength(1536);
  expect(cat).toEqual(again);
  expect(cat).not.toEqual(dog);
  expect(Math.hypot(...(cat ?? []))).toBeCloseTo(1, 5);
  expect(usage).toEqual({ prompt_tokens: 3, total_tokens: 3 });
});

test("floats and base64 carry the same numbers", async () => {
  const viaBase64 = await used.client.embeddings.create({ model, input: "cat", dimensions: 8 });
  const viaFloats = await used.client.embeddings.create({
    model,
    input: "cat",
    dimensions: 8,
    encoding_format: "float",
  });
  expect(viaBase64.data[0]?.embedding).toEqual(viaFloats.data[0]?.embedding);
  const bodies = used.model.requests.list().map((entry) => entry.body);
  expect(bodies).toMatchObject([{ encoding_format: "base64" }, { encoding_format: "float" }]);
});

test("fewer dimensions are the beginning of more, at length 1", async () => {
  const short = await vectorOfCat(4);
  const long = await vectorOfCat(16);
  expect(Math.hypot(...short)).toBeCloseTo(1, 5);
  expect((long[1] ?? 0) / (long[0] ?? 1)).toBeCloseTo((short[1] ?? 0) / (short[0] ?? 1), 4);
});

test("token ids are counted as they are", async () => {
  const one = await used.client.embeddings.create({ model, input: [1, 2, 3] });
  expect([one.data.length, one.usage.prompt_tokens]).toEqual([1, 3]);
  const two = await used.client.embeddings.create({ model, input: [[1, 2], [3]] });
  expect([two.data.length, two.usage.prompt_tokens]).toEqual([2, 3]);
});

test("a chat model, no input and too much input are refused", async () => {
  await expect(embed("cat", "sandbox-small")).rejects.toMatchObject({ status: 404 });
  await expect(embed("")).rejects.toMatchObject({ status: 400, param: "input" });
  await expect(embed("word ".repeat(9000))).rejects.toMatchObject({ code: "context_length_exceeded" });
});

test("faults and directives work here too", async () => {
  used.model.faults.add({ directive: "status=503", path: "/v1/embeddings" });
  await expect(used.client.embeddings.create({ model, input: "cat" })).rejects.toMatchObject({ status: 503 });
  const input = "[[sandbox: usage_input=99]] cat";
  const { usage } = await used.client.embeddings.create({ model, input });
  expect(usage.prompt_tokens).toBe(99);
  expect(used.model.requests.list().at(-1)?.promptTokens).toBe(countTokens(input));
});
