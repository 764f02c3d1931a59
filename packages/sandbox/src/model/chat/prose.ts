import { tokenize } from "../tokens.ts";

const openings = [
  (question: string) => `You asked: “${question}”`,
  (question: string) => `Here is what the sandbox has to say about “${question}”`,
  (question: string) => `Thank you for asking “${question}”`,
  (question: string) => `A good question: “${question}”`,
];

const paragraphs = [
  "This is the sandbox model: no provider was called and no real money was spent. " +
    "The same question always gets the same answer, so you can build and test against it. " +
    "Every word and every punctuation mark here is one token, and the usage report counts them exactly.",
  "When you want real answers, configure the address and the key of any OpenAI-compatible provider. " +
    "Nothing in your own code changes: the request that reached this model will reach that one, " +
    "with the same credits, the same limits and the same receipts.",
];

const filler = tokenize(
  " A prepaid balance is checked before the work starts, a part of it is held while the work runs, " +
    "and what the work really cost is settled when it ends.",
);

/** Friendly text that shows the question was read. The same question and variant give the same text. */
export function answerTo(question: string, variant: number, paragraphCount: number): string {
  const asked = clip(question === "" ? "nothing at all" : question, 160);
  const opening = openings[(hash(question) + variant) % openings.length];
  return [opening?.(asked) ?? asked, ...paragraphs.slice(0, paragraphCount)].join("\n\n");
}

/** What follows a tool's answer: a sentence that shows it arrived. */
export function answerAfterTools(results: readonly string[]): string {
  const quoted = results.map((result) => `“${clip(result, 200)}”`).join(" and ");
  return `The tool answered ${quoted}. With that the sandbox model considers the question answered.`;
}

/** Exactly so many tokens: the answer first, then one sentence over and over. */
export function stretchTo(tokens: string[], count: number): string[] {
  const stretched = tokens.slice(0, count);
  for (let at = 0; stretched.length < count; at += 1) stretched.push(filler[at % filler.length] ?? " and");
  return stretched;
}

export function clip(text: string, length: number): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= length ? line : `${line.slice(0, length - 1).trimEnd()}…`;
}

/** FNV-1a over UTF-16 units; only has to spread, not to withstand anyone. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value >>> 0;
}
