import { isIP } from "node:net";
import { getConnInfo } from "@hono/node-server/conninfo";
import type { Context } from "hono";

/** What a proxy or a tunnel adds to what it passes on. */
const PASSED_ON = ["x-forwarded-for", "x-forwarded-host", "x-real-ip", "forwarded", "via"];

/** Whether a request was made on this machine, for somebody at this machine: not by a proxy or a tunnel for somebody
 *  elsewhere, and not by a page from elsewhere whose name leads here (DNS rebinding). */
export function isFromHere(context: Context): boolean {
  const { headers } = context.req.raw;
  if (PASSED_ON.some((name) => headers.has(name))) return false;
  return isLoopback(getConnInfo(context).remote.address ?? "") && isNamedLocal(headers.get("host") ?? "");
}

export function isLoopback(address: string): boolean {
  const plain = address.replace(/^::ffff:/i, "");
  return plain === "::1" || (isIP(plain) === 4 && plain.startsWith("127."));
}

function isNamedLocal(host: string): boolean {
  const name = host.replace(/:\d+$/, "").toLowerCase();
  const isName = ["localhost", "0.0.0.0", "[::]"].includes(name) || name.endsWith(".localhost");
  return isName || isLoopback(name.replace(/^\[(.*)\]$/, "$1"));
}
