import type { Context } from "hono";
import { alertOf, ask, type Form, type PageDeps, redirect } from "./ask.ts";
import { html, page } from "./page.ts";
import { addressOf, kept, type Place, type Step } from "./place.ts";

/** Makes a person, who is signed in at once unless their mailbox must be proved first. */
export async function signUp(deps: PageDeps, context: Context, { place, form }: Step): Promise<Response> {
  const { email = "", username = "", password = "" } = form;
  const name = username === "" ? email.split("@", 1)[0]! : username;
  const named = username === "" ? {} : { username };
  const answer = await ask(deps, context, "/sign-up/email", { email, password, name, ...named });
  if (!answer.ok) return signUpPage(place, form, alertOf(answer));
  if (answer.body.token) return redirect(addressOf(place, form), answer.cookies);
  return page(
    "Nearly there",
    html`<p>A link was sent to <strong>${email}</strong>. Confirm the address with it, then
<a href="${addressOf(place, form)}">sign in</a>.</p>`,
  );
}

export function signUpPage(
  place: Place,
  form: Form,
  options: { status?: number; alert?: string } = {},
): Response {
  const { email = "", username = "" } = form;
  const body = html`<form method="post" action="${place.path}/sign-up">${kept(place, form)}
<label>E-mail <input name="email" type="email" value="${email}" autocomplete="email" required autofocus></label>
<label>Username, if you like: 3 to 64 letters, digits or _ . -
<input name="username" value="${username}" autocomplete="username" maxlength="64"></label>
<label>Password, 8 characters or more
<input name="password" type="password" autocomplete="new-password" minlength="8" maxlength="128" required></label>
<button>Sign up</button></form>
<p><a href="${addressOf(place, form)}">I have an account</a></p>`;
  return page("Sign up", body, options);
}
