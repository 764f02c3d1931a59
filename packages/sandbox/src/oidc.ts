import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { hostInUrl, listenOn } from "./listen.ts";
import type { SandboxClient } from "./oidc/clients.ts";

export type { SandboxClient } from "./oidc/clients.ts";

export interface SandboxOidcOptions {
  readonly host?: string;
  /** 0, the default, takes any free port. */
  readonly port?: number;
  readonly clients?: readonly SandboxClient[];
}

export interface SandboxOidc {
  /** The issuer; discovery is at `/.well-known/openid-configuration` below it. */
  readonly url: string;
  /** Adds a client, or replaces the one of the same id: an application may learn its own address late. */
  readonly register: (client: SandboxClient) => void;
  /** Ends every connection and resolves when the port is free. */
  close(): Promise<void>;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Starts an OpenID provider where everybody may be anybody: authorization code with PKCE, discovery, userinfo, and
 *  pages that ask who you want to be and whether you agree. It listens at once; the library behind it is loaded at
 *  the first request, so that it slows no start.
 *  Throws: the port is taken. */
export async function startSandboxOidc(options: SandboxOidcOptions = {}): Promise<SandboxOidc> {
  const { host = "127.0.0.1", port = 0 } = options;
  const clients = new Map((options.clients ?? []).map((client) => [client.id, client]));
  let handler: Promise<Handler> | null = null;
  const load = async (): Promise<Handler> => {
    const { createOidcHandler } = await import("./oidc/handler.ts");
    return createOidcHandler(url, clients);
  };
  const server = createServer((request, response) => {
    handler ??= load();
    void handler.then(
      (handle) => handle(request, response),
      (error: unknown) => fail(response, error),
    );
  });
  const url = `http://${hostInUrl(host)}:${await listenOn(server, host, port)}`;
  return {
    url,
    register: (client) => void clients.set(client.id, client),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function fail(response: ServerResponse, error: unknown): void {
  response.writeHead(500, { "content-type": "text/plain; charset=utf-8" });
  response.end(`Sandbox bug: ${String(error)}\n`);
}
