import { type FileHandle, open, writeFile } from "node:fs/promises";
import { usageFailure } from "../failure.ts";

/** Throws: it cannot be written, by its name. */
export function writeOrExplain(file: string, content: Uint8Array): Promise<void> {
  return writeFile(file, content).catch((error: unknown) => explain(file, error));
}

/** A file that was not there before, for its writer alone. Throws: it is there, or cannot be made. */
export function newFile(file: string): Promise<FileHandle> {
  return open(file, "wx", 0o600).catch((error: unknown) => explain(file, error));
}

function explain(file: string, error: unknown): never {
  throw usageFailure(`${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`);
}
