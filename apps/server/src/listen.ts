import type { Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import type { Hono } from "hono";
import { SettingsError } from "./settings/error.ts";
import type { Sockets } from "./socket/open.ts";

export interface Listening {
  readonly urls: readonly string[];
  /** Takes no new connections, lets running answers end, cuts those that nobody reads after this long, and what is left
   *  then after a goodbye more. */
  close(graceMilliseconds: number, goodbyeMilliseconds?: number): Promise<void>;
}

/** What nobody takes a byte of for so long, nobody waits for. */
const UNREAD_MILLISECONDS = 60_000;

/** Serves one app, and its sockets, on several ports. */
export async function listen(
  app: Hono,
  host: string,
  ports: readonly number[],
  sockets?: Pick<Sockets, "upgrade">,
  unreadMilliseconds = UNREAD_MILLISECONDS,
): Promise<Listening> {
  const servers = ports.map(() => createAdaptorServer({ fetch: app.fetch }) as Server);
  const answers = new Set<ServerResponse>();
  for (const server of servers)
    server.on("request", (_, answer) => cutUnread(answers, answer, unreadMilliseconds));
  for (const server of servers)
    if (sockets !== undefined) server.on("upgrade", (...opening) => sockets.upgrade(...opening));
  try {
    const urls = await Promise.all(servers.map((server, index) => listenOn(server, host, ports[index]!)));
    const close = (grace: number, goodbye = 0) => {
      for (const answer of answers) answer.setTimeout(Math.min(shutdownPatience(grace), unreadMilliseconds));
      return closeAll(servers, grace + goodbye);
    };
    return { urls, close };
  } catch (error) {
    await closeAll(servers, 0);
    throw error;
  }
}

/** Cuts an answer of which some lies ready, and is not taken. One of which nothing is ready may be long in the making. */
function cutUnread(answers: Set<ServerResponse>, answer: ServerResponse, milliseconds: number): void {
  answers.add(answer);
  answer.once("close", () => answers.delete(answer));
  answer.setTimeout(milliseconds);
  answer.on("timeout", (connection: Socket) => {
    if (connection.writableLength > 0) connection.destroy();
  });
}

/** Half of it: at the first time, what was taken before still counts. */
const shutdownPatience = (graceMilliseconds: number) => Math.max(1, Math.floor(graceMilliseconds / 2));

function listenOn(server: Server, host: string, port: number): Promise<string> {
  server.keepAliveTimeout = 65_000;
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(explain(error, host, port)));
    server.listen(port, host, 4096, () => {
      const { port: actual } = server.address() as AddressInfo;
      resolve(`http://${nameOf(host)}:${actual}`);
    });
  });
}

/** A server that listens on every address is asked by the one that this machine has of itself. */
function nameOf(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}

function explain(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === "EADDRINUSE") {
    return new SettingsError(
      `PORT: ${port} is in use on ${host}; stop what runs there or choose another: PORT=3001 npm start`,
    );
  }
  if (error.code === "EACCES")
    return new SettingsError(`PORT: ${port} needs more rights; choose one above 1023`);
  // A name that is no host, as some shells set HOST by themselves, is not found.
  if (["EADDRNOTAVAIL", "ENOTFOUND", "EAI_AGAIN", "EINVAL"].includes(error.code ?? ""))
    return new SettingsError(`HOST: ${host} is not an address of this machine`);
  return error;
}

async function closeAll(servers: readonly Server[], graceMilliseconds: number): Promise<void> {
  const cut = setTimeout(() => {
    for (const server of servers) server.closeAllConnections();
  }, graceMilliseconds);
  await Promise.all(servers.map(closeOne));
  clearTimeout(cut);
}

/** Clients keep connections for their next request: one whose answer has ended is idle, and closed soon. */
function closeOne(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const idle = setInterval(() => server.closeIdleConnections(), IDLE_MILLISECONDS);
    server.close(() => {
      clearInterval(idle);
      resolve();
    });
    server.closeIdleConnections();
  });
}

const IDLE_MILLISECONDS = 50;
