import type { Caller } from "@bursar/identity/sign-in/sign-in";
import { getConnInfo } from "@hono/node-server/conninfo";
import type { Context } from "hono";

/** Who is at the other end. Behind `proxyHops` proxies of ours, each of which adds to X-Forwarded-For, it is the entry
 *  that the outermost of them wrote; what a client writes into that header itself is never believed. */
export function callerOf(context: Context, proxyHops: number): Caller {
  const userAgent = context.req.header("user-agent") ?? null;
  const forwarded = context.req.header("x-forwarded-for")?.split(",") ?? [];
  const address = proxyHops === 0 ? undefined : forwarded.at(-proxyHops)?.trim();
  return { address: address ?? peerOf(context), userAgent };
}

/** "unknown" where there is no socket: all such callers share one limit. */
function peerOf(context: Context): string {
  try {
    return getConnInfo(context).remote.address ?? "unknown";
  } catch {
    return "unknown";
  }
}
