import { OIDC_PROVIDER } from "@bursar/identity/paths";
import type { Person } from "@bursar/identity/person";
import type { Context, Hono } from "hono";
import { ask, type IdentityAnswer, ownForm, type PageDeps, reasonOf, redirect } from "./ask.ts";
import { notFromHere } from "./mail-links.ts";
import { type Html, html, page } from "./page.ts";

/** Where a person lets the CLI in: sign in here if need be, compare the code, approve or deny. RFC 8628, section 3.3. */
export function mountDevicePage(app: Hono, deps: PageDeps): void {
  app.get("/device", (context) => show(deps, context, context.req.query("user_code") ?? ""));
  for (const [path, step] of Object.entries(STEPS)) {
    app.post(`/device/${path}`, async (context) => {
      const form = await ownForm(deps, context);
      if (form === null) return notFromHere();
      return step(deps, context, form);
    });
  }
}

type Form = Readonly<Record<string, string>>;
type Step = (deps: PageDeps, context: Context, form: Form) => Promise<Response>;

const STEPS: Record<string, Step> = {
  "sign-in": signIn,
  "second-step": secondStep,
  oidc: signInElsewhere,
  "sign-out": signOut,
  decide,
};

async function show(deps: PageDeps, context: Context, code: string): Promise<Response> {
  const person = await whoLooks(deps, context);
  if (person === null) return signInPage(deps, code);
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

async function whoLooks({ identity }: PageDeps, context: Context): Promise<Person | null> {
  const headers = new Headers(context.req.raw.headers);
  headers.delete("authorization");
  const who = await identity.authenticate(headers);
  return who.kind === "authenticated" ? who.person : null;
}

async function signIn(deps: PageDeps, context: Context, form: Form): Promise<Response> {
  const { named = "", password = "", user_code: code = "" } = form;
  const isEmail = named.includes("@");
  const path = isEmail ? "/sign-in/email" : "/sign-in/username";
  const answer = await ask(deps, context, path, { [isEmail ? "email" : "username"]: named, password });
  if (!answer.ok) return signInPage(deps, code, alertOf(answer));
  if (answer.body.twoFactorRedirect !== true) return redirect(addressOf(code), answer.cookies);
  const response = page("Second step", secondStepForm(code));
  for (const cookie of answer.cookies) response.headers.append("set-cookie", cookie);
  return response;
}

async function secondStep(deps: PageDeps, context: Context, form: Form): Promise<Response> {
  const { code = "", user_code: userCode = "" } = form;
  const path = /^\d{6}$/.test(code.trim()) ? "/two-factor/verify-totp" : "/two-factor/verify-backup-code";
  const answer = await ask(deps, context, path, { code: code.trim() });
  if (answer.ok) return redirect(addressOf(userCode), answer.cookies);
  return page("Second step", secondStepForm(userCode), alertOf(answer));
}

async function signInElsewhere(deps: PageDeps, context: Context, form: Form): Promise<Response> {
  const code = form.user_code ?? "";
  const answer = await ask(deps, context, "/sign-in/social", {
    provider: OIDC_PROVIDER,
    callbackURL: addressOf(code),
  });
  if (answer.ok && typeof answer.body.url === "string") return redirect(answer.body.url, answer.cookies);
  return signInPage(deps, code, alertOf(answer));
}

async function signOut(deps: PageDeps, context: Context, form: Form): Promise<Response> {
  const answer = await ask(deps, context, "/sign-out", {});
  return redirect(addressOf(form.user_code ?? ""), answer.cookies);
}

async function decide(deps: PageDeps, context: Context, form: Form): Promise<Response> {
  const { user_code: userCode = "", decision } = form;
  const path = decision === "approve" ? "/device/approve" : "/device/deny";
  const answer = await ask(deps, context, path, { userCode });
  if (!answer.ok) return page("Let a device in", codeForm(), alertOf(answer));
  const said = decision === "approve" ? "The device is signed in." : "The device has been turned away.";
  return page("Done", html`<p>${said} You can close this page.</p>`);
}

const addressOf = (code: string) => `/device?user_code=${encodeURIComponent(code)}`;

function alertOf(answer: IdentityAnswer) {
  const status = answer.status === 429 ? 429 : answer.status >= 500 ? 503 : 400;
  return { status, alert: reasonOf(answer) };
}

function hidden(code: string): Html {
  return html`<input type="hidden" name="user_code" value="${code}">`;
}

function signInPage(
  deps: PageDeps,
  code: string,
  options: { status?: number; alert?: string } = {},
): Response {
  const elsewhere = html`<form method="post" action="/device/oidc">${hidden(code)}
<button>Sign in with your organization</button></form>`;
  const body = html`<p>Sign in to let a device in.</p>
<form method="post" action="/device/sign-in">${hidden(code)}
<label>Username or e-mail <input name="named" autocomplete="username" required autofocus></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Sign in</button></form>${deps.hasOidc ? elsewhere : html``}`;
  return page("Sign in", body, options);
}

function secondStepForm(code: string): Html {
  return html`<form method="post" action="/device/second-step">${hidden(code)}
<label>Code of your authenticator, or a backup code
<input name="code" autocomplete="one-time-code" required autofocus></label>
<button>Continue</button></form>`;
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
