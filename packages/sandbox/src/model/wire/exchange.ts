import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { ApiError } from "../errors.ts";
import type { RequestEntry, WritableRequestLog } from "../requests.ts";

/** One request on its way: what came in, where the answer goes, and its line in the log. */
export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  path: string;
  entry: RequestEntry;
}

const loggedHeaders = /^(?:content-type|user-agent|accept|idempotency-key|openai-.*|x-.*|traceparent)$/;

/** Opens the log entry and closes it when the socket is done with the answer, however that ends. */
export function openExchange(
  log: WritableRequestLog,
  request: IncomingMessage,
  response: ServerResponse,
): Exchange {
  const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
  const requestId = `req_${randomUUID().replaceAll("-", "")}`;
  const startedAt = performance.now();
  const entry = log.open({
    requestId,
    method: request.method ?? "GET",
    path,
    headers: shownHeaders(request),
  });
  response.setHeader("x-request-id", requestId);
  response.setHeader("openai-version", "2020-10-01");
  response.once("close", () => {
    entry.durationMs = Math.round(performance.now() - startedAt);
    if (entry.outcome === "open") entry.outcome = response.writableFinished ? "answered" : "client_gone";
  });
  return { request, response, path, entry };
}

function shownHeaders(request: IncomingMessage): Record<string, string> {
  const shown: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (loggedHeaders.test(name)) shown[name] = String(value);
  }
  const key = bearerKey(request);
  if (key !== null) shown["authorization"] = `Bearer ${maskKey(key)}`;
  return shown;
}

export function bearerKey(request: IncomingMessage): string | null {
  const match = /^Bearer\s+(.+)$/i.exec(request.headers.authorization ?? "");
  return match?.[1] ?? null;
}

/** Enough of a key to tell two apart, too little to use it. */
export function maskKey(key: string): string {
  return key.length <= 8 ? "*".repeat(key.length) : `${key.slice(0, 4)}***${key.slice(-4)}`;
}

export function sendJson(exchange: Exchange, status: number, value: unknown): void {
  const text = JSON.stringify(value);
  const length = Buffer.byteLength(text);
  exchange.entry.status = status;
  exchange.response.writeHead(status, { "content-type": "application/json", "content-length": length });
  exchange.response.end(text);
}

export function sendError(exchange: Exchange, failure: ApiError): void {
  for (const [name, value] of Object.entries(failure.headers)) exchange.response.setHeader(name, value);
  sendJson(exchange, failure.status, { error: failure.error });
}

/** Ends the connection without a goodbye, as a crashed provider would. */
export function cut(exchange: Exchange): void {
  exchange.entry.outcome = "cut";
  exchange.response.destroy();
}

/** Waits, unless the client leaves first. Resolves to whether it is still there. */
export function wait(exchange: Exchange, milliseconds: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => {
    exchange.response.off("close", leave);
    resolve(true);
  }, milliseconds);
  function leave() {
    clearTimeout(timer);
    resolve(false);
  }
  exchange.response.once("close", leave);
  return promise;
}
