import type { Context, Hono } from "hono";
import { alertOf, ask, ownForm, type PageDeps, reasonOf } from "./ask.ts";
import { type Html, html, page } from "./page.ts";

/** Where the links in mails lead. Opening one changes nothing, because mail scanners open links too: a person must press
 *  the button. */
export function mountMailLinks(app: Hono, deps: PageDeps): void {
  const tokenOf = (context: Context) => context.req.query("token") ?? "";
  app.get("/reset-password", (context) => page("New password", resetForm(tokenOf(context))));
  app.post("/reset-password", (context) => choosePassword(deps, context));
  app.get("/forgot-password", () => page(FORGOT, forgotForm()));
  app.post("/forgot-password", (context) => askForMail(deps, context));
  app.get("/verify-email", (context) => page("Confirm your e-mail address", verifyForm(tokenOf(context))));
  app.post("/verify-email", (context) => confirm(deps, context));
}

async function choosePassword(deps: PageDeps, context: Context): Promise<Response> {
  const sent = await ownForm(deps, context);
  if (sent instanceof Response) return sent;
  const { token = "", password = "", again = "" } = sent;
  const failed = (alert: string, status = 400) => page("New password", resetForm(token), { status, alert });
  if (password !== again) return failed("The two passwords are not the same");
  const answer = await ask(deps, context, "/reset-password", { token, newPassword: password });
  if (answer.body.code === "INVALID_TOKEN")
    return page("New password", askAnew, { status: 400, alert: ENDED });
  if (!answer.ok) return failed(reasonOf(answer), answer.status === 429 ? 429 : 400);
  return page("Done", html`<p>Your password has been changed, and you are signed out everywhere else.</p>`);
}

const ENDED = "This link is not good any more";
const askAnew = html`<p><a href="/forgot-password">Send me another one</a></p>`;

const FORGOT = "Forgot the password?";

/** Says the same for an address that nobody has. */
async function askForMail(deps: PageDeps, context: Context): Promise<Response> {
  const sent = await ownForm(deps, context);
  if (sent instanceof Response) return sent;
  const { email = "" } = sent;
  const answer = await ask(deps, context, "/request-password-reset", { email });
  if (!answer.ok) return page(FORGOT, forgotForm(email), alertOf(answer));
  return page(
    "Look into your mail",
    html`<p>If <strong>${email}</strong> is somebody's here, a link is on its way.</p>`,
  );
}

async function confirm(deps: PageDeps, context: Context): Promise<Response> {
  const sent = await ownForm(deps, context);
  if (sent instanceof Response) return sent;
  const { token = "" } = sent;
  const answer = await ask(deps, context, `/verify-email?token=${encodeURIComponent(token)}`);
  if (answer.ok) return page("Done", html`<p>Your e-mail address is confirmed. You can sign in now.</p>`);
  const alert = `${ENDED}; sign in to get a new one`;
  return page("Confirm your e-mail address", html``, { status: 400, alert });
}

function resetForm(token: string): Html {
  return html`<form method="post" action="/reset-password"><input type="hidden" name="token" value="${token}">
<label>New password, 8 characters or more
<input name="password" type="password" autocomplete="new-password" minlength="8" maxlength="128" required autofocus></label>
<label>The same again <input name="again" type="password" autocomplete="new-password" required></label>
<button>Change password</button></form>`;
}

function forgotForm(email = ""): Html {
  return html`<form method="post" action="/forgot-password">
<label>Your e-mail <input name="email" type="email" value="${email}" autocomplete="email" required autofocus></label>
<button>Send a link to choose a new one</button></form>`;
}

function verifyForm(token: string): Html {
  return html`<form method="post" action="/verify-email"><input type="hidden" name="token" value="${token}">
<button>Yes, this is my address</button></form>`;
}
