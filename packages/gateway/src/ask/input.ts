import { Prompt } from "./prompt.ts";

/** One text, or one list of token ids. */
export type Input = string | readonly number[];

/** A text, token ids, or a list of either: how completions and embeddings take their input. null: none of these. */
export function inputsOf(value: unknown): readonly Input[] | null {
  if (isInput(value)) return [value];
  if (!Array.isArray(value) || value.length === 0) return null;
  return value.every(isInput) ? value : null;
}

function isInput(value: unknown): value is Input {
  if (typeof value === "string") return value.length > 0;
  return Array.isArray(value) && value.length > 0 && value.every((token) => Number.isSafeInteger(token));
}

export function inputPrompt(inputs: readonly Input[], others: object): Prompt {
  const texts = inputs.filter((input) => typeof input === "string");
  const ids = inputs.reduce((sum, input) => sum + (typeof input === "string" ? 0 : input.length), 0);
  return new Prompt(texts, ids, others);
}
