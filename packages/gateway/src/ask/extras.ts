import type { Invalid } from "./ask.ts";
import { type Fields, invalid, isObject } from "./fields.ts";

/** What a field may say without costing more than the model's tokens do, or having another model answer. */
interface Plain {
  /** Where it stands, if not at the top. */
  readonly find?: (body: Fields) => unknown;
  readonly holds: (value: unknown) => boolean;
  readonly rule: string;
}

const NOTHING: Plain = { holds: () => false, rule: "must be left out" };

const PLAIN = {
  service_tier: oneOf("auto", "default", "standard", "flex", "on_demand"),
  speed: oneOf("standard"),
  // Other models, or dearer hosts of the same.
  models: NOTHING,
  route: NOTHING,
  fallbacks: NOTHING,
  context_window_fallbacks: NOTHING,
  content_policy_fallbacks: NOTHING,
  preset: NOTHING,
  provider: NOTHING,
  providerOptions: NOTHING,
  compound_custom: NOTHING,
  // What providers do besides, and charge for by the piece.
  plugins: NOTHING,
  web_search_options: NOTHING,
  search_parameters: NOTHING,
  enable_search: NOTHING,
  tools: { holds: (value) => allOf(value, isCallersTool), rule: "may hold functions and custom tools alone" },
  // Sound and pictures, whose tokens have prices of their own.
  modalities: {
    holds: (value) => allOf(value, (kind) => kind === "text"),
    rule: 'may hold "text" alone',
  },
  input_audio: { ...NOTHING, find: soundIn },
  // An answer that is fetched later, by nobody.
  deferred: NOTHING,
} satisfies Readonly<Record<string, Plain>>;

/** Fields that an upstream's settings may allow. */
export const EXTRA_FIELDS: readonly string[] = Object.keys(PLAIN);

/** The first field by which a call would cost more than its tokens at the price book's prices, or another model would
 *  answer. What providers understand besides is theirs to judge. */
export function checkExtras(body: Fields, allowed: readonly string[] = []): Invalid | null {
  for (const [field, { find, holds, rule }] of Object.entries<Plain>(PLAIN)) {
    const value = find === undefined ? body[field] : find(body);
    if (isUnset(value) || holds(value) || allowed.includes(field)) continue;
    return invalid(field, `'${field}' ${rule} here: it can change the price, or the model that answers.`);
  }
  return null;
}

function isUnset(value: unknown): boolean {
  return value === undefined || value === null || value === false;
}

function oneOf(...texts: string[]): Plain {
  return { holds: (value) => texts.some((text) => text === value), rule: `may be ${texts.join(", ")}` };
}

function allOf(value: unknown, holds: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(holds);
}

/** Sound that a message brings along, or an earlier answer's that it names. */
function soundIn({ messages }: Fields): unknown {
  const all = Array.isArray(messages) ? messages.filter(isObject) : [];
  return all.some(
    ({ audio, content }) => !isUnset(audio) || (Array.isArray(content) && content.some(isSound)),
  );
}

/** Also as whoever parses JSON in Go reads it. */
function isSound(part: unknown): boolean {
  return isObject(part) && Object.keys(part).some((field) => field.toLowerCase() === "input_audio");
}

/** One that the caller runs; a provider's own tools cost extra. */
function isCallersTool(tool: unknown): boolean {
  return isObject(tool) && (tool["type"] === "function" || tool["type"] === "custom");
}
