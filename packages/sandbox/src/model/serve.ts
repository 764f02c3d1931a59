import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { describeModel, findModel, modelCards } from "./catalogue.ts";
import { handleChat } from "./chat/handle.ts";
import { handleCompletion } from "./completions.ts";
import { controls } from "./control.ts";
import { handleEmbeddings } from "./embeddings.ts";
import { unknownModel, unknownPath, wrongKey } from "./errors.ts";
import { createRequestLog } from "./requests.ts";
import { readBody } from "./wire/body.ts";
import { bearerKey, type Exchange, maskKey, openExchange, sendError, sendJson } from "./wire/exchange.ts";
import type { World } from "./world.ts";

type Handler = (world: World, exchange: Exchange, body: Record<string, unknown>) => void | Promise<void>;

const handlers: Readonly<Record<string, Handler>> = {
  ...controls,
  "GET /v1/models": (_, exchange) =>
    sendJson(exchange, 200, { object: "list", data: modelCards.map(describeModel) }),
  "POST /v1/chat/completions": handleChat,
  "POST /v1/completions": handleCompletion,
  "POST /v1/embeddings": handleEmbeddings,
};

/** Steering the sandbox is not traffic: it must not push real requests out of the log. */
const unseenLog = createRequestLog();
const largestLoggedBodyBytes = 64 * 1024;

/** Answers one request: key, route, body, handler. A bug in here is a 500 that says so, not a crash. */
export async function serve(world: World, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const seen = !request.url?.startsWith("/sandbox/");
  const exchange = openExchange(seen ? world.requests : unseenLog, request, response);
  try {
    await route(world, exchange);
  } catch (error) {
    if (response.headersSent) response.destroy();
    else sendError(exchange, { ...bug, error: { ...bug.error, message: `Sandbox bug: ${String(error)}` } });
  }
}

const bug = {
  status: 500,
  headers: {},
  error: { message: "", type: "server_error", param: null, code: "sandbox_bug" },
};

async function route(world: World, exchange: Exchange): Promise<void> {
  if (!isAllowed(world.apiKey, exchange)) {
    const key = bearerKey(exchange.request);
    return sendError(exchange, wrongKey(key === null ? null : maskKey(key)));
  }
  const method = exchange.entry.method;
  const modelId = method === "GET" ? /^\/v1\/models\/([^/]+)$/.exec(exchange.path)?.[1] : undefined;
  if (modelId !== undefined) return sendModel(exchange, modelId);
  const handler = handlers[`${method} ${exchange.path}`];
  if (!handler) return sendError(exchange, unknownPath(method, exchange.path));
  const body = method === "POST" ? await takeBody(exchange) : {};
  if (body) await handler(world, exchange, body);
}

function isAllowed(apiKey: string | undefined, exchange: Exchange): boolean {
  if (apiKey === undefined) return true;
  const expected = Buffer.from(apiKey);
  const given = Buffer.from(bearerKey(exchange.request) ?? "");
  return expected.length === given.length && timingSafeEqual(expected, given);
}

function sendModel(exchange: Exchange, id: string): void {
  const card = findModel(id);
  if (card) sendJson(exchange, 200, describeModel(card));
  else sendError(exchange, unknownModel(id));
}

async function takeBody(exchange: Exchange): Promise<Record<string, unknown> | undefined> {
  const reading = await readBody(exchange.request);
  if (reading.kind === "client_gone") return undefined;
  if (reading.kind === "bad") {
    sendError(exchange, reading.failure);
    return undefined;
  }
  const { entry } = exchange;
  entry.model = typeof reading.value["model"] === "string" ? reading.value["model"] : null;
  entry.stream = reading.value["stream"] === true;
  entry.body = reading.bytes <= largestLoggedBodyBytes ? reading.value : "[larger than 64 KiB]";
  return reading.value;
}
