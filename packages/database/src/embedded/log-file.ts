import { open, rename, stat } from "node:fs/promises";

const LARGEST_LOG_BYTES = 10_000_000;
const LONGEST_EXCERPT_BYTES = 4_000;

/** Postgres writes to a file rather than through a pipe to us: when our process is busy or dead, a full pipe would
 *  stop the database. Two files are kept. */
export async function trimLog(logFile: string): Promise<void> {
  if ((await logSize(logFile)) > LARGEST_LOG_BYTES) await rename(logFile, `${logFile}.1`);
}

/** In bytes; 0 when there is none yet. */
export async function logSize(logFile: string): Promise<number> {
  return stat(logFile).then(
    (stats) => stats.size,
    () => 0,
  );
}

/** What was written after `offset`, at most its last 4,000 bytes. */
export async function logSince(logFile: string, offset: number): Promise<string> {
  const size = await logSize(logFile);
  const start = Math.max(offset, size - LONGEST_EXCERPT_BYTES);
  if (size <= start) return "(no log)";
  const file = await open(logFile);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
    return buffer.toString("utf8", 0, bytesRead).trim();
  } finally {
    await file.close();
  }
}
