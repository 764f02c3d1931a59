import { createHash } from "node:crypto";
import { countMessageTokens } from "./chat/prompt.ts";
import type { ChatRequest } from "./chat/request.ts";

export interface PromptCache {
  /** How many tokens of this prompt were seen before; remembers it for the next time. */
  visit(request: ChatRequest): number;
}

const minimumTokens = 1024;
const stepTokens = 128;
const maximumPrefixes = 10_000;

/** Caches as OpenAI does: only prompts from 1,024 tokens up, whole messages from the start, in steps of 128. */
export function createPromptCache(): PromptCache {
  const seen = new Set<string>();
  return {
    visit(request) {
      let known = 0;
      for (const prefix of prefixesOf(request)) {
        if (seen.has(prefix.hash)) known = prefix.tokens;
        else seen.add(prefix.hash);
      }
      forgetOldest(seen);
      return known < minimumTokens ? 0 : Math.floor(known / stepTokens) * stepTokens;
    },
  };
}

function prefixesOf(request: ChatRequest): { hash: string; tokens: number }[] {
  const hash = createHash("sha256").update(JSON.stringify([request.model, request.tools ?? null]));
  let tokens = 0;
  return request.messages.map((message) => {
    tokens += countMessageTokens(message);
    return { hash: hash.update(JSON.stringify(message)).copy().digest("base64"), tokens };
  });
}

function forgetOldest(seen: Set<string>): void {
  for (const hash of seen) {
    if (seen.size <= maximumPrefixes) return;
    seen.delete(hash);
  }
}
