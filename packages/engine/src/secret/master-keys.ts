import { createHmac } from "node:crypto";
import { KEY_BYTES } from "./envelope.ts";

export interface MasterKey {
  /** Made from the key itself, so that nobody has to name keys and none is taken for another. */
  readonly id: string;
  readonly key: Buffer;
}

/** The keys that wrap all others. They live in settings, never in the database. */
export interface MasterKeys {
  /** Wraps what is new; null where none is set, and then nothing can be sealed. */
  readonly newest: MasterKey | null;
  readonly all: readonly MasterKey[];
  find(id: string): MasterKey | null;
}

export const MASTER_KEY_RULE = "32 random bytes as base64url or hex";

const SHAPES = [
  { shape: /^[\w-]{43}=?$/, encoding: "base64url" },
  { shape: /^[A-Za-z0-9+/]{43}=$/, encoding: "base64" },
  { shape: /^[0-9a-f]{64}$/i, encoding: "hex" },
] as const;
/** 32 random bytes have fewer different ones about once in 10^22 times. */
const FEWEST_DIFFERENT_BYTES = 16;

/** null for a text that is no key, or too regular to be a random one. */
export function parseMasterKey(text: string): MasterKey | null {
  const encoding = SHAPES.find(({ shape }) => shape.test(text))?.encoding;
  if (encoding === undefined) return null;
  const key = Buffer.from(text, encoding);
  if (key.length !== KEY_BYTES || new Set(key).size < FEWEST_DIFFERENT_BYTES) return null;
  return { id: createHmac("sha256", key).update("bursar master key").digest("hex").slice(0, 12), key };
}

/** The newest first. Throws TypeError: a text is no master key. */
export function openMasterKeys(texts: readonly string[]): MasterKeys {
  const all = texts.map((text) => {
    const parsed = parseMasterKey(text);
    if (parsed === null) throw new TypeError(`a master key must be ${MASTER_KEY_RULE}`);
    return parsed;
  });
  return { newest: all[0] ?? null, all, find: (id) => all.find((key) => key.id === id) ?? null };
}
