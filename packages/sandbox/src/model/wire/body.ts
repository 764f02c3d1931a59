import type { IncomingMessage } from "node:http";
import { type ApiError, invalidRequest } from "../errors.ts";

export type BodyReading =
  | { kind: "body"; value: Record<string, unknown>; bytes: number }
  | { kind: "bad"; failure: ApiError }
  | { kind: "client_gone" };

const maximumBytes = 32 * 1024 * 1024;

/** Reads a JSON object. Outcomes, first match wins: client_gone, bad (too large, not JSON, not an object), body. */
export async function readBody(request: IncomingMessage): Promise<BodyReading> {
  const bytes = await collect(request);
  if (bytes === "client_gone") return { kind: "client_gone" };
  if (bytes === "too_large") {
    return {
      kind: "bad",
      failure: { ...invalidRequest("The request body is too large.", null), status: 413 },
    };
  }
  const value = parse(bytes.toString("utf8"));
  if (value === undefined) {
    const message = "We could not parse the JSON body of your request. The API expects a JSON object.";
    return { kind: "bad", failure: invalidRequest(message, null) };
  }
  return { kind: "body", value, bytes: bytes.length };
}

function collect(request: IncomingMessage): Promise<Buffer | "too_large" | "client_gone"> {
  const { promise, resolve } = Promise.withResolvers<Buffer | "too_large" | "client_gone">();
  const chunks: Buffer[] = [];
  let size = 0;
  request.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size <= maximumBytes) chunks.push(chunk);
  });
  request.once("end", () => resolve(size > maximumBytes ? "too_large" : Buffer.concat(chunks, size)));
  request.once("error", () => resolve("client_gone"));
  request.once("close", () => resolve("client_gone"));
  return promise;
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
