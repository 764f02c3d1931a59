import { readFile, rename, writeFile } from "node:fs/promises";
import { randomLetters } from "./ids.ts";
import { emptyState, type State } from "./state.ts";

const VERSION = 1;

export interface Kept {
  readonly secretKey: string;
  readonly webhookSecret: string;
  readonly state: State;
  /** An earlier start has left it. */
  readonly isOld: boolean;
}

/** What an earlier start has left, with the keys that are asked for, or a new beginning. Throws: the file is no such thing. */
export async function keptOrNew(asked: {
  readonly dataFile?: string;
  readonly secretKey?: string;
  readonly webhookSecret?: string;
}): Promise<Kept> {
  const before = asked.dataFile === undefined ? null : await readKept(asked.dataFile);
  return {
    secretKey: asked.secretKey ?? before?.secretKey ?? `sk_test_${randomLetters(32)}`,
    webhookSecret: asked.webhookSecret ?? before?.webhookSecret ?? `whsec_${randomLetters(32)}`,
    state: before?.state ?? emptyState(),
    isOld: before !== null,
  };
}

/** What an earlier start has left; null for no file. Throws: the file is no such thing. */
async function readKept(path: string): Promise<Kept | null> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  const file = JSON.parse(text) as Record<string, unknown>;
  if (file["version"] !== VERSION)
    throw new Error(`${path}: not the state of this sandbox Stripe; delete it`);
  const maps = file["state"] as Record<string, [string, unknown][]>;
  const state = Object.fromEntries(
    Object.keys(emptyState()).map((name) => [name, new Map(maps[name] ?? [])]),
  );
  const { secretKey, webhookSecret } = file as { secretKey: string; webhookSecret: string };
  return { secretKey, webhookSecret, state: state as unknown as State, isOld: true };
}

/** Writes whole files, one at a time: who asks while one is being written gets the next, with whoever else asks. */
export function createKeeper(path: string, kept: Kept): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  let next: Promise<void> | null = null;
  const write = async () => {
    next = null;
    const maps = Object.entries(kept.state).map(([name, map]) => [name, [...(map as Map<string, unknown>)]]);
    const { secretKey, webhookSecret } = kept;
    const file = { version: VERSION, secretKey, webhookSecret, state: Object.fromEntries(maps) as object };
    await writeFile(`${path}.new`, JSON.stringify(file), { mode: 0o600 });
    await rename(`${path}.new`, path);
  };
  return () => {
    // A write that failed was reported to who asked for it; the next one tries again.
    next ??= last.catch(() => undefined).then(write);
    last = next;
    return next;
  };
}
