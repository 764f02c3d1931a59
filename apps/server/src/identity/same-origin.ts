import { hasSessionCookie } from "@bursar/identity/authenticate";
import type { Context, MiddlewareHandler } from "hono";

const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

/** Browsers send cookies along with requests that other pages cause. So a request that changes something on the strength
 *  of a cookie must come from a page of ours. With an Authorization header no cookie counts, and none is looked at. */
export function requireSameOrigin(publicUrl: () => string): MiddlewareHandler {
  return async (context, next) => {
    const { headers, method } = context.req.raw;
    const isByCookie = !headers.has("authorization") && hasSessionCookie(headers);
    if (SAFE.has(method) || !isByCookie || isSameOrigin(context, publicUrl())) return next();
    const message = "A request with a session cookie must come from a page of this server (header Origin)";
    return context.json({ error: { type: "permission_error", code: "cross_origin", message }, message }, 403);
  };
}

/** Whether the page that sent this is one of this server's, under the name that the browser asked for it by. */
export function isSameOrigin(context: Context, publicUrl: string): boolean {
  return isFromOwnPage((name) => context.req.header(name), publicUrl);
}

/** The same for what is no HTTP call, such as the opening of a socket. */
export function isFromOwnPage(header: (name: string) => string | undefined, publicUrl: string): boolean {
  const origin = header("origin");
  if (origin === undefined) return header("sec-fetch-site") === "same-origin";
  if (!URL.canParse(origin)) return false;
  return origin === new URL(publicUrl).origin || new URL(origin).host === header("host");
}
