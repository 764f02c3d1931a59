import { z } from "zod";
import { behaveBefore } from "./before.ts";
import { findModel } from "./catalogue.ts";
import { parseWith } from "./chat/request.ts";
import { invalidRequest, unknownModel } from "./errors.ts";
import { countTokens } from "./tokens.ts";
import { unitVector } from "./vector.ts";
import { type Exchange, sendError, sendJson } from "./wire/exchange.ts";
import type { World } from "./world.ts";

const defaultDimensions = 1536;

const tokenIds = z.array(z.int());

const embeddingRequest = z.looseObject({
  model: z.string(),
  input: z.union([
    z.string().min(1),
    z.array(z.string().min(1)).min(1).max(2048),
    tokenIds.min(1),
    z.array(tokenIds.min(1)).min(1).max(2048),
  ]),
  dimensions: z.int().min(1).max(defaultDimensions).default(defaultDimensions),
  encoding_format: z.enum(["float", "base64"]).default("float"),
});

type Input = string | number[];

/** `POST /v1/embeddings`: the same text gives the same unit vector; different texts give unrelated ones. */
export async function handleEmbeddings(
  world: World,
  exchange: Exchange,
  body: Record<string, unknown>,
): Promise<void> {
  const parsed = parseWith(embeddingRequest, body);
  if (parsed.kind === "bad") return sendError(exchange, parsed.failure);
  const { request } = parsed;
  const card = findModel(request.model);
  if (card?.kind !== "embedding") return sendError(exchange, unknownModel(request.model));
  const inputs = splitInput(request.input);
  const sizes = inputs.map((input) => (typeof input === "string" ? countTokens(input) : input.length));
  if (sizes.some((size) => size > card.contextTokens)) {
    const wording = `This model's maximum context length is ${card.contextTokens} tokens.`;
    return sendError(exchange, invalidRequest(wording, "input", "context_length_exceeded"));
  }
  const first = inputs[0];
  const settings = await behaveBefore(world, exchange, card.id, typeof first === "string" ? first : "");
  if (!settings) return;
  exchange.entry.promptTokens = sizes.reduce((sum, size) => sum + size, 0);
  const vectors = inputs.map((input) => encode(input, request.dimensions, request.encoding_format));
  const promptTokens = settings.usageInputTokens ?? exchange.entry.promptTokens;
  sendJson(exchange, 200, {
    object: "list",
    data: vectors.map((embedding, index) => ({ object: "embedding", index, embedding })),
    model: card.id,
    ...(!settings.noUsage && { usage: { prompt_tokens: promptTokens, total_tokens: promptTokens } }),
  });
}

/** One text, one list of token ids, or a list of either. */
function splitInput(input: string | string[] | number[] | number[][]): Input[] {
  if (typeof input === "string") return [input];
  const ids = input.filter((part) => typeof part === "number");
  return ids.length > 0 ? [ids] : input.filter((part) => typeof part !== "number");
}

function encode(input: Input, dimensions: number, format: "float" | "base64"): number[] | string {
  const vector = unitVector(typeof input === "string" ? input : JSON.stringify(input), dimensions);
  if (format === "float") return [...vector];
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString("base64");
}
