import type { Server } from "node:net";

/** Starts any server on a port, 0 for any that is free, and resolves with the port. Throws: the port is taken. */
export function listenOn(server: Server, host: string, port: number, backlog = 511): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.once("error", reject);
  server.listen({ host, port, backlog }, () => {
    server.off("error", reject);
    const address = server.address();
    resolve(typeof address === "object" ? (address?.port ?? port) : port);
  });
  return promise;
}

/** A host as it is written in a URL. */
export function hostInUrl(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
