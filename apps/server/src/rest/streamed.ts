import type { Log } from "@bursar/engine/deps";

/** An answer that is sent while it is being made, so that its size does not matter. What goes wrong after its beginning
 *  breaks the connection off. */
export interface Streamed {
  readonly stream: AsyncIterable<string | Uint8Array> | Iterable<Uint8Array>;
  readonly contentType: string;
  /** What a browser calls the file. */
  readonly fileName: string;
}

export function streamed(
  deps: { readonly log: Log },
  { stream, contentType, fileName }: Streamed,
  headers: Record<"x-request-id" | "cache-control", string>,
): Response {
  const file = {
    "content-type": contentType,
    "content-disposition": `attachment; filename="${fileName}"`,
    "x-content-type-options": "nosniff",
  };
  const body = ReadableStream.from(watched(deps, stream, headers["x-request-id"]));
  return new Response(body, { headers: { ...headers, ...file } });
}

/** What fails midway has no status any more: it is in the log, and the connection breaks off. */
async function* watched({ log }: { readonly log: Log }, stream: Streamed["stream"], requestId: string) {
  const encoder = new TextEncoder();
  try {
    for await (const part of stream) yield typeof part === "string" ? encoder.encode(part) : part;
  } catch (error) {
    log.error({ err: error, requestId }, "an answer broke off");
    throw error;
  }
}
