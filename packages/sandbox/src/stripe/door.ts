import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { hostInUrl, listenOn } from "../listen.ts";

export type Handle = (request: IncomingMessage, response: ServerResponse) => void;

/** Longer than clients keep idle connections, so that none is closed under their next request. */
const KEEP_ALIVE_MILLISECONDS = 65_000;

/** Listens, on any free port unless one is named. Throws: the port is taken. */
export async function listenForStripe(
  { host = "127.0.0.1", port = 0 }: { readonly host?: string; readonly port?: number },
  handle: Handle,
): Promise<{ server: Server; url: string }> {
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MILLISECONDS, noDelay: true }, handle);
  const url = `http://${hostInUrl(host)}:${await listenOn(server, host, port)}`;
  return { server, url };
}

/** Ends every connection and resolves when the port is free. */
export function closeServer(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeAllConnections();
  return promise;
}
