import { z } from "zod";
import { parseWith } from "./chat/request.ts";
import { readFaultWords } from "./directive.ts";
import { invalidRequest } from "./errors.ts";
import { scriptSchema } from "./scripts.ts";
import { type Exchange, sendError, sendJson } from "./wire/exchange.ts";
import type { World } from "./world.ts";

const faultSchema = z.strictObject({
  directive: z.string(),
  times: z.int().min(1).optional(),
  after: z.int().min(0).optional(),
  model: z.string().optional(),
  path: z.string().optional(),
});

type Control = (world: World, exchange: Exchange, body: Record<string, unknown>) => void;

/** The endpoints that steer the sandbox; they are neither logged nor subject to faults. */
export const controls: Readonly<Record<string, Control>> = {
  "GET /sandbox/requests": (world, exchange) => sendJson(exchange, 200, { requests: world.requests.list() }),
  "DELETE /sandbox/requests": (world, exchange) => {
    world.requests.clear();
    sendJson(exchange, 200, { requests: [] });
  },
  "GET /sandbox/faults": sendFaults,
  "POST /sandbox/faults": addFault,
  "DELETE /sandbox/faults": (world, exchange) => {
    world.faults.clear();
    sendFaults(world, exchange);
  },
  "GET /sandbox/scripts": sendScripts,
  "POST /sandbox/scripts": addScript,
  "DELETE /sandbox/scripts": (world, exchange) => {
    world.scripts.clear();
    sendScripts(world, exchange);
  },
};

function sendFaults(world: World, exchange: Exchange): void {
  sendJson(exchange, 200, { faults: world.faults.list() });
}

function sendScripts(world: World, exchange: Exchange): void {
  sendJson(exchange, 200, { scripts: world.scripts.list() });
}

function addFault(world: World, exchange: Exchange, body: Record<string, unknown>): void {
  const parsed = parseWith(faultSchema, body);
  if (parsed.kind === "bad") return sendError(exchange, parsed.failure);
  const reading = readFaultWords(parsed.request.directive);
  if (reading.kind === "bad") return sendError(exchange, invalidRequest(reading.reason, "directive"));
  world.faults.add(parsed.request);
  sendFaults(world, exchange);
}

function addScript(world: World, exchange: Exchange, body: Record<string, unknown>): void {
  const parsed = parseWith(scriptSchema, body);
  if (parsed.kind === "bad") return sendError(exchange, parsed.failure);
  world.scripts.add(parsed.request);
  sendScripts(world, exchange);
}
