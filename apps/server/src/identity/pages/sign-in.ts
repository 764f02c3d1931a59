import { OIDC_PROVIDER } from "@bursar/identity/paths";
import type { Person } from "@bursar/identity/person";
import type { Context, Hono } from "hono";
import { alertOf, ask, type Form, ownForm, type PageDeps, redirect } from "./ask.ts";
import { type Html, html, page } from "./page.ts";
import { addressOf, kept, type Place, type Step } from "./place.ts";
import { signUp, signUpPage } from "./sign-up.ts";

/** Mounts the steps by which somebody signs in, signs up, or becomes somebody else, on their way to a page. */
export function mountSignIn(app: Hono, deps: PageDeps, place: Place): void {
  for (const [name, step] of Object.entries(STEPS)) {
    app.post(`${place.path}/${name}`, async (context) => {
      const form = await ownForm(deps, context);
      return form instanceof Response ? form : step(deps, context, { place, form });
    });
  }
  app.get(`${place.path}/sign-up`, (context) => signUpPage(place, context.req.query()));
}

type TakeStep = (deps: PageDeps, context: Context, step: Step) => Promise<Response>;

const STEPS: Record<string, TakeStep> = {
  "sign-in": signIn,
  "sign-up": signUp,
  "second-step": secondStep,
  oidc: signInElsewhere,
  "sign-out": signOut,
};

/** Who looks at a page, by their session alone. */
export async function whoLooks({ identity }: PageDeps, context: Context): Promise<Person | null> {
  const headers = new Headers(context.req.raw.headers);
  headers.delete("authorization");
  const who = await identity.authenticate(headers);
  return who.kind === "authenticated" ? who.person : null;
}

async function signIn(deps: PageDeps, context: Context, { place, form }: Step): Promise<Response> {
  const { named = "", password = "" } = form;
  const isEmail = named.includes("@");
  const path = isEmail ? "/sign-in/email" : "/sign-in/username";
  const answer = await ask(deps, context, path, { [isEmail ? "email" : "username"]: named, password });
  if (!answer.ok) return signInPage(deps, place, form, alertOf(answer));
  if (answer.body.twoFactorRedirect !== true) return redirect(addressOf(place, form), answer.cookies);
  const response = page("Second step", secondStepForm(place, form));
  for (const cookie of answer.cookies) response.headers.append("set-cookie", cookie);
  return response;
}

async function secondStep(deps: PageDeps, context: Context, { place, form }: Step): Promise<Response> {
  const { code = "" } = form;
  const path = /^\d{6}$/.test(code.trim()) ? "/two-factor/verify-totp" : "/two-factor/verify-backup-code";
  const answer = await ask(deps, context, path, { code: code.trim() });
  if (answer.ok) return redirect(addressOf(place, form), answer.cookies);
  return page("Second step", secondStepForm(place, form), alertOf(answer));
}

async function signInElsewhere(deps: PageDeps, context: Context, { place, form }: Step): Promise<Response> {
  const callbackURL = addressOf(place, form);
  const answer = await ask(deps, context, "/sign-in/social", { provider: OIDC_PROVIDER, callbackURL });
  if (answer.ok && typeof answer.body.url === "string") return redirect(answer.body.url, answer.cookies);
  return signInPage(deps, place, form, alertOf(answer));
}

async function signOut(deps: PageDeps, context: Context, { place, form }: Step): Promise<Response> {
  const answer = await ask(deps, context, "/sign-out", {});
  return redirect(addressOf(place, form), answer.cookies);
}

export function signInPage(
  { hasOidc }: PageDeps,
  place: Place,
  form: Form,
  options: { status?: number; alert?: string } = {},
): Response {
  const { path, why } = place;
  const { named = "" } = form;
  const elsewhere = html`<form method="post" action="${path}/oidc">${kept(place, form)}
<button>Sign in with your organization</button></form>`;
  const body = html`<p>${why}</p>
<form method="post" action="${path}/sign-in">${kept(place, form)}
<label>Username or e-mail
<input name="named" value="${named}" autocomplete="username" required autofocus></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Sign in</button></form>${hasOidc ? elsewhere : html``}
<p><a href="${addressOf(place, form, "/sign-up")}">Sign up</a> · <a href="/forgot-password">Forgot the password?</a></p>`;
  return page("Sign in", body, options);
}

function secondStepForm(place: Place, form: Form): Html {
  return html`<form method="post" action="${place.path}/second-step">${kept(place, form)}
<label>Code of your authenticator, or a backup code
<input name="code" autocomplete="one-time-code" required autofocus></label>
<button>Continue</button></form>`;
}
