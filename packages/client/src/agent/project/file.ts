import { randomBytes } from "node:crypto";
import { chmod, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { toolFailure } from "@bursar/contract/agent/tool";
import type { Place, Refusal } from "./project.ts";
import { readText, type TextFile } from "./text.ts";

/** Larger files are no source texts, and would not fit a model's context. */
export const LARGEST_BYTES = 1_000_000;

type Loaded =
  | { readonly kind: "loaded"; readonly bytes: Buffer; readonly file: TextFile }
  | { readonly kind: "missing" }
  | { readonly kind: "refused"; readonly refusal: Refusal };

/** Outcomes, first match wins: missing, refused (`not_a_file`, `file_too_large`, `binary_file`, `failed`), loaded. */
export async function load({ absolute, path }: Place): Promise<Loaded> {
  const refused = (code: Refusal["error"]["code"], message: string): Loaded => ({
    kind: "refused",
    refusal: toolFailure(code, message),
  });
  try {
    const facts = await stat(absolute);
    // A pipe or a device could keep us waiting for ever.
    if (!facts.isFile()) return refused("not_a_file", `${path} is not a file`);
    if (facts.size > LARGEST_BYTES)
      return refused(
        "file_too_large",
        `${path} has ${facts.size} bytes; at most ${LARGEST_BYTES} can be read`,
      );
    const bytes = await readAtMost(absolute, LARGEST_BYTES + 1);
    const file = readText(bytes);
    if (file === null) return refused("binary_file", `${path} is binary, not UTF-8 text`);
    return { kind: "loaded", bytes, file };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return { kind: "missing" };
    return refused("failed", `${path} cannot be read: ${message}`);
  }
}

/** A file that grows while it is read does not grow memory. */
async function readAtMost(absolute: string, bytes: number): Promise<Buffer> {
  await using handle = await open(absolute, "r");
  const buffer = Buffer.alloc(bytes);
  let at = 0;
  while (at < bytes) {
    const { bytesRead } = await handle.read(buffer, at, bytes - at, at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return buffer.subarray(0, at);
}

/** Writes all of it or nothing, whatever happens meanwhile; a file that is there keeps its permissions. */
export async function save(absolute: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(absolute), { recursive: true });
  const mode = await stat(absolute).then(
    (facts) => facts.mode & 0o7777,
    () => undefined,
  );
  const next = join(dirname(absolute), `.${basename(absolute)}.${randomBytes(6).toString("hex")}.new`);
  try {
    await using handle = await open(next, "wx", mode ?? 0o666);
    await handle.writeFile(bytes);
    await handle.sync();
    if (mode !== undefined) await chmod(next, mode);
    await rename(next, absolute);
  } catch (error) {
    await rm(next, { force: true });
    throw error;
  }
}
