import { createServer, type Server } from "node:http";
import { hostInUrl, listenOn } from "./listen.ts";
import type { Faults } from "./model/faults.ts";
import type { RequestLog } from "./model/requests.ts";
import type { Scripts } from "./model/scripts.ts";
import { serve } from "./model/serve.ts";
import { createWorld, type World } from "./model/world.ts";

export interface SandboxModelOptions {
  host?: string;
  /** 0, the default, takes any free port. */
  port?: number;
  /** When set, every request needs it as Bearer; when not, every key is welcome. */
  apiKey?: string;
}

export interface SandboxModel {
  /** Base URL for OpenAI's clients, ends in `/v1`. */
  url: string;
  faults: Faults;
  requests: RequestLog;
  scripts: Scripts;
  /** Ends every open connection and resolves when the port is free. */
  close(): Promise<void>;
}

/** Room for a benchmark that opens a thousand connections at once; the system's default queue is 511. */
const acceptQueueLength = 4096;

/** Starts an OpenAI-compatible model that needs no provider: real HTTP, deterministic, with faults on demand.
 *  Throws: the port is taken. */
export async function startSandboxModel(options: SandboxModelOptions = {}): Promise<SandboxModel> {
  const host = options.host ?? "127.0.0.1";
  const world = createWorld(options.apiKey);
  const server = createServer({ keepAliveTimeout: 65_000, noDelay: true }, (request, response) => {
    void serve(world, request, response);
  });
  const port = await listenOn(server, host, options.port ?? 0, acceptQueueLength);
  return {
    url: `http://${hostInUrl(host)}:${port}/v1`,
    faults: world.faults,
    requests: world.requests,
    scripts: world.scripts,
    close: () => close(server, world),
  };
}

/** Marks what is still open before it drops the lines, or the log would blame the clients. */
function close(server: Server, world: World): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const entry of world.requests.list()) if (entry.outcome === "open") entry.outcome = "server_closed";
  server.close(() => resolve());
  server.closeAllConnections();
  return promise;
}
