import { resolve } from "node:path";
import type { Context } from "../context.ts";
import { writeOrExplain } from "./file.ts";

/** Saves a document under its usual name in the folder that the command runs in, or where it was told to. */
export async function saveDocument(
  context: Context,
  document: Promise<Uint8Array>,
  { out, usually }: { readonly out: string | undefined; readonly usually: string },
): Promise<void> {
  const file = resolve(context.folder, out ?? usually);
  await writeOrExplain(file, await document);
  context.print({ file }, () => `Saved ${file}.`);
}
