import type { Invalid } from "./ask.ts";

export type Fields = Readonly<Record<string, unknown>>;

export function invalid(param: string | null, message: string): Invalid {
  return { kind: "invalid", param, message };
}

export function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const MODEL_SHAPE = /^\S{1,128}$/;

/** The first problem of the fields that every endpoint has. */
export function checkModel(body: Fields): Invalid | null {
  const { model } = body;
  if (model === undefined) return invalid("model", "Missing required parameter: 'model'.");
  if (typeof model === "string" && MODEL_SHAPE.test(model)) return null;
  return invalid("model", "'model' must be a model's name: 1 to 128 characters without spaces.");
}

/** null and absent mean the same, as with OpenAI. */
export function checkWholeNumber(body: Fields, param: string, largest: number): Invalid | null {
  const value = body[param];
  if (value === undefined || value === null) return null;
  if (Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= largest) return null;
  return invalid(param, `'${param}' must be a whole number from 1 to ${largest}.`);
}

export function checkStreaming(body: Fields): Invalid | null {
  const { stream, stream_options: options } = body;
  if (stream !== undefined && stream !== null && typeof stream !== "boolean")
    return invalid("stream", "'stream' must be true or false.");
  if (options === undefined || options === null) return null;
  if (!isObject(options)) return invalid("stream_options", "'stream_options' must be an object.");
  if (stream === true) return null;
  return invalid("stream_options", "'stream_options' is only allowed together with 'stream': true.");
}

export function wantsUsage(body: Fields): boolean {
  return isObject(body["stream_options"]) && body["stream_options"]["include_usage"] === true;
}

export function numberOr<Default>(value: unknown, otherwise: Default): number | Default {
  return typeof value === "number" ? value : otherwise;
}
