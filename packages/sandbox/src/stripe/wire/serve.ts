import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { RequestFault } from "../fault/faults.ts";
import { newId } from "../ids.ts";
import { Refusal } from "../refusal.ts";
import { INCLUDABLE, ROUTES } from "../routes.ts";
import { API_VERSION, type World } from "../world.ts";
import { checkKey, checkVersion } from "./authorize.ts";
import { readText } from "./body.ts";
import { expanded } from "./expand.ts";
import { parseForm } from "./form.ts";
import { type Ask, saveAnswer, savedAnswer } from "./idempotency.ts";
import { findRoute } from "./route.ts";

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Record<string, string>;
}

/** Answers one request to the API: at most one of them is done at a time, each whole or not at all. */
export async function serveApi(
  world: World,
  underWay: Set<string>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? "/", world.url);
  const method = request.method ?? "GET";
  const body = await readText(request);
  if (body === null) return;
  const fault = world.faults.takeForRequest(method, url.pathname);
  if (fault !== null && "when" in fault && fault.when === "before") return misbehave(fault, response);
  if (fault?.kind === "rate_limit") return send(response, failed(rateLimited, newId("req", 14)));
  const key = method === "POST" ? (request.headers["idempotency-key"] as string | undefined) : undefined;
  const ask = { method, path: url.pathname, body, key: key ?? "" };
  const answer = await answerTo(world, underWay, request, ask, url.searchParams.toString(), fault);
  if (fault?.kind === "delay") await answerLate(underWay, key, fault.milliseconds);
  else if (fault !== null) return misbehave(fault, response);
  send(response, answer);
}

async function answerLate(underWay: Set<string>, key: string | undefined, milliseconds: number) {
  if (key !== undefined) underWay.add(key);
  await delay(milliseconds, undefined, { ref: false });
  if (key !== undefined) underWay.delete(key);
}

async function answerTo(
  world: World,
  underWay: ReadonlySet<string>,
  { headers }: IncomingMessage,
  ask: Ask,
  query: string,
  fault: RequestFault | null,
): Promise<Answer> {
  const requestId = newId("req", 14);
  const echo = ask.key === "" ? {} : { "idempotency-key": ask.key };
  try {
    checkKey(headers.authorization, world.secretKey);
    checkVersion(headers["stripe-version"]);
    const found = findRoute(ROUTES, ask.method, ask.path);
    if (found === null) throw unknownPath(ask);
    const saved = ask.key === "" ? null : savedAnswer(world, underWay, ask);
    if (saved !== null) {
      const replay = { "idempotent-replayed": "true", "original-request": saved.requestId };
      return {
        status: saved.status,
        text: saved.text,
        headers: { ...headersOf(requestId), ...echo, ...replay },
      };
    }
    const { expand, ...form } = parseForm([query, ask.body].filter((part) => part !== "").join("&"));
    // What does not even begin is not saved under its key.
    const run = found.route.prepare(world, ask.path, found.ids, form);
    world.request = { id: requestId, idempotency_key: ask.key === "" ? null : ask.key };
    const answer = done(() => expanded(world.state, INCLUDABLE, run(), expand), requestId);
    const isSaved500 = fault?.kind === "server_error" && fault.saved;
    const kept = isSaved500 ? failed(serverError, requestId) : answer;
    if (ask.key !== "") saveAnswer(world, ask, { ...kept, requestId });
    world.request = null;
    if (ask.method !== "GET") await world.keep();
    return { ...answer, headers: { ...answer.headers, ...echo } };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const answer = failed(error, requestId);
    return { ...answer, headers: { ...answer.headers, ...echo } };
  } finally {
    world.request = null;
  }
}

function done(run: () => object, requestId: string): Answer {
  try {
    return { status: 200, text: JSON.stringify(run(), null, 2), headers: headersOf(requestId) };
  } catch (error) {
    if (error instanceof Refusal) return failed(error, requestId);
    throw error;
  }
}

function failed({ status, body }: Refusal, requestId: string): Answer {
  const log = `https://dashboard.stripe.com/test/logs/${requestId}`;
  const text = JSON.stringify({ error: { ...body, request_log_url: log } }, null, 2);
  return { status, text, headers: headersOf(requestId) };
}

const serverError = new Refusal(500, {
  type: "api_error",
  message: "Sorry! There was an error while talking to one of our backends. (sandbox fault)",
});

const rateLimited = new Refusal(429, {
  type: "invalid_request_error",
  code: "rate_limit",
  message: "Too many requests hit the API too quickly. (sandbox fault)",
});

function unknownPath({ method, path }: Ask): Refusal {
  const message = `Unrecognized request URL (${method}: ${path}). This sandbox may not have it.`;
  return new Refusal(404, { type: "invalid_request_error", message });
}

function misbehave(fault: RequestFault, response: ServerResponse): void {
  switch (fault.kind) {
    case "timeout":
      // Whoever waits goes at some time, and takes the connection with them.
      return;
    case "cut":
      response.destroy();
      return;
    case "server_error":
      return send(response, failed(serverError, newId("req", 14)));
    case "rate_limit":
    case "delay":
  }
}

function headersOf(requestId: string): Record<string, string> {
  return { "request-id": requestId, "stripe-version": API_VERSION };
}

function send(response: ServerResponse, { status, text, headers }: Answer): void {
  response.writeHead(status, { ...headers, "content-type": "application/json", "cache-control": "no-store" });
  response.end(text);
}
