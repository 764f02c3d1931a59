import type { OpenIdentity } from "@bursar/identity/open";
import { IDENTITY_PATH } from "@bursar/identity/paths";
import type { Context } from "hono";
import { readText } from "../../rest/input.ts";
import { callerOf } from "../caller.ts";
import { isSameOrigin } from "../same-origin.ts";
import { html, page } from "./page.ts";

/** Far more than any form holds. */
export const BODY_LIMIT_BYTES = 64 * 1024;

export interface PageDeps {
  readonly identity: OpenIdentity;
  readonly proxyHops: number;
  readonly hasOidc: boolean;
}

export interface IdentityAnswer {
  readonly status: number;
  readonly ok: boolean;
  readonly body: Readonly<Record<string, unknown>>;
  /** Cookies for the browser. */
  readonly cookies: readonly string[];
}

/** Asks /api/identity for a page, as the browser that looks at the page: with its cookies, and under the same limits. */
export async function ask(
  deps: PageDeps,
  context: Context,
  path: string,
  body?: Readonly<Record<string, unknown>>,
): Promise<IdentityAnswer> {
  const url = deps.identity.url();
  const headers = new Headers({ origin: new URL(url).origin, "content-type": "application/json" });
  for (const name of ["cookie", "user-agent"]) {
    const value = context.req.header(name);
    if (value !== undefined) headers.set(name, value);
  }
  const sent = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const request = new Request(`${url}${IDENTITY_PATH}${path}`, { ...sent, headers });
  const response = await deps.identity.handle(request, callerOf(context, deps.proxyHops).address);
  const text = await response.text();
  return {
    status: response.status,
    ok: response.ok,
    body: (text === "" ? {} : (JSON.parse(text) ?? {})) as IdentityAnswer["body"],
    cookies: response.headers.getSetCookie(),
  };
}

/** The fields of a form. */
export type Form = Readonly<Record<string, string>>;

/** What went wrong, as a page says it. */
export function alertOf(answer: IdentityAnswer): { status: number; alert: string } {
  const status = answer.status === 429 ? 429 : answer.status >= 500 ? 503 : 400;
  return { status, alert: reasonOf(answer) };
}

/** What the library says went wrong, in words: without the names that its fields have there. */
export function reasonOf({ body }: IdentityAnswer): string {
  const reason = body.message ?? body.error_description;
  return typeof reason === "string" ? reason.replaceAll(/\[body\.\w+\] /g, "") : "That did not work";
}

/** Sends the browser on, with what it is to remember. Only to paths of ours, or where the library sends it. */
export function redirect(to: string, cookies: readonly string[] = []): Response {
  const response = new Response(null, {
    status: 303,
    headers: { location: to, "cache-control": "no-store" },
  });
  for (const cookie of cookies) response.headers.append("set-cookie", cookie);
  return response;
}

/** The fields of a form that came from a page of ours; else what is answered to it. */
export async function ownForm(deps: PageDeps, context: Context): Promise<Form | Response> {
  if (!isSameOrigin(context, deps.identity.url()))
    return page("Not from here", html`<p>This form must be sent from its own page.</p>`, { status: 403 });
  const text = await readText(context.req.raw, BODY_LIMIT_BYTES);
  if (text === null)
    return page("Too long", html`<p>No form is longer than ${String(BODY_LIMIT_BYTES)} bytes.</p>`, {
      status: 413,
    });
  return Object.fromEntries(new URLSearchParams(text));
}
