import type { Context, Hono } from "hono";
import { alertOf, ask, type Form, ownForm, type PageDeps, redirect } from "./ask.ts";
import { type Html, html, page } from "./page.ts";
import type { Place } from "./place.ts";
import { mountSignIn, signInPage, whoLooks } from "./sign-in.ts";

const PATH = "/second-factor";
const TITLE = "Second step";
const PLACE: Place = { path: PATH, keeps: null, why: "Sign in to look after your second step." };

type Step = (deps: PageDeps, context: Context, form: Form) => Promise<Response>;

const STEPS: Record<string, Step> = { begin, confirm, codes, off };

/** Where a person switches their authenticator on and off. */
export function mountSecondFactorPage(app: Hono, deps: PageDeps): void {
  mountSignIn(app, deps, PLACE);
  app.get(PATH, (context) => show(deps, context));
  for (const [name, step] of Object.entries(STEPS)) {
    app.post(`${PATH}/${name}`, async (context) => {
      const form = await ownForm(deps, context);
      if (form instanceof Response) return form;
      const isSomebody = (await whoLooks(deps, context)) !== null;
      return isSomebody ? step(deps, context, form) : signInPage(deps, PLACE, form);
    });
  }
}

async function show(
  deps: PageDeps,
  context: Context,
  options: { status?: number; alert?: string } = {},
): Promise<Response> {
  const person = await whoLooks(deps, context);
  if (person === null) return signInPage(deps, PLACE, {});
  const { body } = await ask(deps, context, "/get-session");
  const { twoFactorEnabled } = Object(body.user) as { twoFactorEnabled?: unknown };
  return page(
    TITLE,
    twoFactorEnabled === true ? onForms() : offForm(person.username ?? person.email),
    options,
  );
}

async function begin(deps: PageDeps, context: Context, { password = "" }: Form): Promise<Response> {
  const answer = await ask(deps, context, "/two-factor/enable", { password });
  if (!answer.ok) return show(deps, context, alertOf(answer));
  const { totpURI, backupCodes } = answer.body as { totpURI: string; backupCodes: string[] };
  const secret = new URL(totpURI).searchParams.get("secret")!;
  return page(
    TITLE,
    html`<p>Put this into your authenticator, or <a href="${totpURI}">open it there</a>:</p>
<p><code>${secret.replace(/(.{4})(?=.)/g, "$1 ")}</code></p>${codeList(backupCodes)}${codeForm()}`,
  );
}

async function confirm(deps: PageDeps, context: Context, { code = "" }: Form): Promise<Response> {
  const answer = await ask(deps, context, "/two-factor/verify-totp", { code: code.replaceAll(" ", "") });
  if (answer.ok) return redirect(PATH, answer.cookies);
  return page(TITLE, html`${codeForm()}<p><a href="${PATH}">Start again</a></p>`, alertOf(answer));
}

async function codes(deps: PageDeps, context: Context, { password = "" }: Form): Promise<Response> {
  const answer = await ask(deps, context, "/two-factor/generate-backup-codes", { password });
  if (!answer.ok) return show(deps, context, alertOf(answer));
  const { backupCodes } = answer.body as { backupCodes: string[] };
  return page(TITLE, html`<p>The former backup codes are good no more.</p>${codeList(backupCodes)}`);
}

async function off(deps: PageDeps, context: Context, { password = "" }: Form): Promise<Response> {
  const answer = await ask(deps, context, "/two-factor/disable", { password });
  return answer.ok ? redirect(PATH, answer.cookies) : show(deps, context, alertOf(answer));
}

const PASSWORD = html`<label>Password
<input name="password" type="password" autocomplete="current-password" required></label>`;

function offForm(name: string): Html {
  return html`<p>A code of an authenticator, asked for at each sign-in of <strong>${name}</strong> and before something
that costs money later. It is switched off.</p>
<form method="post" action="${PATH}/begin">${PASSWORD}<button>Set up</button></form>${withoutPassword()}`;
}

function onForms(): Html {
  return html`<p>It is switched on.</p>
<form method="post" action="${PATH}/codes">${PASSWORD}<button>Make new backup codes</button></form>
<form method="post" action="${PATH}/off">${PASSWORD}<button>Switch it off</button></form>${withoutPassword()}`;
}

/** Whoever came by another provider has none. */
function withoutPassword(): Html {
  return html`<p><a href="/forgot-password">No password yet, or forgotten?</a></p>`;
}

function codeList(backupCodes: readonly string[]): Html {
  return html`<p>Backup codes, each good once where the authenticator is lost. They are not shown again:</p>
<ul>${backupCodes.map((code) => html`<li><code>${code}</code></li>`)}</ul>`;
}

function codeForm(): Html {
  return html`<form method="post" action="${PATH}/confirm">
<label>The six digits that the authenticator shows
<input name="code" inputmode="numeric" autocomplete="one-time-code" required autofocus></label>
<button>Switch on</button></form>`;
}
