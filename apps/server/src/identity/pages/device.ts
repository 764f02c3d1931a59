import type { Person } from "@bursar/identity/person";
import type { Context, Hono } from "hono";
import { alertOf, ask, type Form, ownForm, type PageDeps } from "./ask.ts";
import { type Html, html, page } from "./page.ts";
import type { Place } from "./place.ts";
import { mountSignIn, signInPage, whoLooks } from "./sign-in.ts";

const PLACE: Place = { path: "/device", keeps: "user_code", why: "Sign in to let a device in." };

/** Where a person lets the CLI in: sign in here if need be, compare the code, approve or deny. RFC 8628, section 3.3. */
export function mountDevicePage(app: Hono, deps: PageDeps): void {
  mountSignIn(app, deps, PLACE);
  app.get("/device", (context) => show(deps, context, context.req.query("user_code") ?? ""));
  app.post("/device/decide", async (context) => {
    const form = await ownForm(deps, context);
    return form instanceof Response ? form : decide(deps, context, form);
  });
}

async function show(deps: PageDeps, context: Context, code: string): Promise<Response> {
  const person = await whoLooks(deps, context);
  if (person === null) return signInPage(deps, PLACE, { user_code: code });
  if (code === "") return page("Let a device in", codeForm());
  const found = await ask(deps, context, `/device?user_code=${encodeURIComponent(code)}`);
  if (!found.ok) return page("Let a device in", codeForm(), alertOf(found));
  const { status, client_id: client } = found.body;
  if (status !== "pending")
    return page("Let a device in", codeForm(), { alert: "This code has been answered already" });
  if (typeof client !== "string")
    return page("Let a device in", codeForm(), { alert: "This code is somebody else's" });
  return page("Let a device in", decisionForm(code, client, person));
}

async function decide(deps: PageDeps, context: Context, form: Form): Promise<Response> {
  const { user_code: userCode = "", decision } = form;
  const path = decision === "approve" ? "/device/approve" : "/device/deny";
  const answer = await ask(deps, context, path, { userCode });
  if (!answer.ok) return page("Let a device in", codeForm(), alertOf(answer));
  const said = decision === "approve" ? "The device is signed in." : "The device has been turned away.";
  return page("Done", html`<p>${said} You can close this page.</p>`);
}

function hidden(code: string): Html {
  return html`<input type="hidden" name="user_code" value="${code}">`;
}

function codeForm(): Html {
  return html`<form method="get" action="/device">
<label>Code that the device shows <input name="user_code" autocomplete="off" required autofocus></label>
<button>Continue</button></form>`;
}

function decisionForm(code: string, client: string, person: Person): Html {
  return html`<p><strong>${client}</strong> asks to sign in as <strong>${person.username ?? person.email}</strong>.</p>
<p>Does it show this code? <code>${code}</code></p><p>If you did not start this yourself, deny it.</p>
<form method="post" action="/device/decide">${hidden(code)}
<button name="decision" value="approve">Approve</button><button name="decision" value="deny">Deny</button></form>
<form method="post" action="/device/sign-out">${hidden(code)}<button>Use another account</button></form>`;
}
