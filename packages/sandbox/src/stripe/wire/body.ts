import type { IncomingMessage } from "node:http";

const LARGEST_BYTES = 1024 * 1024;

/** The whole body as text; null when the sender went away, or sent too much and was cut off. */
export async function readText(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request) {
      size += (chunk as Buffer).length;
      if (size > LARGEST_BYTES) {
        request.destroy();
        return null;
      }
      chunks.push(chunk as Buffer);
    }
  } catch {
    return null;
  }
  return Buffer.concat(chunks).toString("utf8");
}
