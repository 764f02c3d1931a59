import { z } from "zod";
import { ID_PATTERN } from "./ids.ts";
import { formatInstant, type Instant, isExact, parseInstant } from "./instant.ts";
import { formatCredits, MAX_AMOUNT, type MicroCredits, parseCredits } from "./money.ts";

const AMOUNT_HINT = 'a decimal string of credits with at most 6 decimals, such as "12.5"';

function amountFrom(smallest: MicroCredits, rule: string) {
  return z
    .string({ error: `must be ${AMOUNT_HINT}` })
    .transform((text, context) => {
      const micro = parseCredits(text);
      if (micro !== null && micro >= smallest && micro <= MAX_AMOUNT) return micro;
      const problem =
        micro === null
          ? `must be ${AMOUNT_HINT}`
          : `must be ${rule} and at most ${formatCredits(MAX_AMOUNT)}`;
      context.addIssue({ code: "custom", message: problem });
      return z.NEVER;
    })
    .meta({ type: "string", pattern: "^\\d{1,13}(\\.\\d{1,6})?$", description: `Credits, ${AMOUNT_HINT}` });
}

/** An amount in a request: a string of credits outside, micro-credits inside. */
export const positiveAmount = amountFrom(1n, "more than 0");
export const amountOrZero = amountFrom(0n, "0 or more");
export const signedAmount = amountFrom(-MAX_AMOUNT, "other than 0");

/** An amount in an answer: the shortest exact string of credits. */
export const creditsText = z
  .string()
  .meta({ description: "Credits as an exact decimal string", examples: ["12.5"] });

export const id = z
  .string({ error: "must be a string" })
  .regex(ID_PATTERN, "must be 1 to 128 letters, digits or . _ : @ / + - and begin with a letter or digit");

/** One that becomes a part of longer ids: of notices, and of the payment provider's idempotency keys. */
export const shortId = id.max(100, "must be at most 100 characters");

const INSTANT_RULE = "must be an ISO 8601 instant with a zone, such as 2027-01-31T00:00:00Z";

export const instant = z
  .string({ error: INSTANT_RULE })
  .transform((text, context): Instant => {
    const parsed = parseInstant(text);
    if (parsed !== null && isExact(parsed)) return parsed;
    const message = parsed === null ? INSTANT_RULE : "must be between the years 1685 and 2254";
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  })
  .meta({ type: "string", format: "date-time" });

export const instantText = z.string().meta({ format: "date-time" });

export const tokens = z
  .int({ error: "must be a whole number of tokens, 0 or more" })
  .min(0, "must be 0 or more")
  .max(1_000_000_000, "must be at most 1,000,000,000");

export const feature = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "must be 1 to 64 letters, digits or . _ -");

/** How many a list shows at once, as a query says it: text outside, a number inside. */
export function listLimit(most: number, usual: number) {
  const rule = `must be a whole number from 1 to ${most}`;
  return z.coerce.number({ error: rule }).int(rule).min(1, rule).max(most, rule).default(usual);
}

/** Where a list goes on: what an earlier answer said. */
export const cursor = z.string().regex(/^[\x20-\x7e]{0,200}$/, "must be a nextCursor from an earlier answer");

/** The caller's own facts: kept, shown, never read. At most 4 KiB as JSON. */
export const metadata = z
  .record(z.string().max(64), z.json())
  .refine((value) => JSON.stringify(value).length <= 4096, "must be at most 4096 characters as JSON");

/** Text of any lines. Postgres cannot store NUL. */
export const freeText = (longest: number) =>
  z
    .string()
    .min(1)
    .max(longest)
    .refine((text) => !text.includes("\u0000"), "must not contain NUL");

/** Why, for people. */
export const note = freeText(500);

/** A name, or what is searched for. */
export const oneLine = (longest: number) =>
  z
    .string({ error: "must be a string" })
    .trim()
    .min(1)
    .max(longest)
    .refine((text) => !/\p{Cc}/u.test(text), "must be one line of text");

export const modelName = z
  .string()
  .min(1)
  .max(128)
  .regex(/^\S+$/, "must contain no spaces")
  .refine((name) => !name.includes("\u0000"), "must not contain NUL");

/** `inputTokens` includes the cached ones, as providers report them. */
export const usage = z
  .strictObject({
    model: modelName,
    inputTokens: tokens,
    cachedInputTokens: tokens.default(0),
    outputTokens: tokens,
  })
  .refine((value) => value.cachedInputTokens <= value.inputTokens, {
    path: ["cachedInputTokens"],
    message: "must not be above inputTokens, which includes the cached ones",
  });

/** What credits would pay for, in every answer about a model. */
export const affordable = z.object({
  maxOutputTokens: z
    .int()
    .nullable()
    .describe("The most output tokens of this model that this work's credits pay for now"),
  model: z.string().optional().describe("A cheaper model that fits, when this one does not"),
});

export type Affordable = z.infer<typeof affordable>;

export const credits = (micro: MicroCredits): string => formatCredits(micro);
export const iso = (value: Instant | null): string | null => (value === null ? null : formatInstant(value));
