import { createHash } from "node:crypto";

/** 32 hex digits that stand for a text of any length: for an id made of other ids, or for a text that is not kept. */
export function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}
