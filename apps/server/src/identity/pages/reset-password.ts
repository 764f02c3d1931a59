import type { Hono } from "hono";
import { ask, ownForm, type PageDeps, reasonOf } from "./ask.ts";
import { type Html, html, page } from "./page.ts";

/** Where the link in the mail leads: choose a new password. */
export function mountResetPage(app: Hono, deps: PageDeps): void {
  app.get("/reset-password", (context) => page("New password", form(context.req.query("token") ?? "")));
  app.post("/reset-password", async (context) => {
    const sent = await ownForm(deps, context);
    if (sent === null)
      return page("Not from here", html`<p>This form must be sent from its own page.</p>`, { status: 403 });
    const { token = "", password = "", again = "" } = sent;
    if (password !== again) {
      return page("New password", form(token), { status: 400, alert: "The two passwords are not the same" });
    }
    const answer = await ask(deps, context, "/reset-password", { token, newPassword: password });
    if (answer.ok)
      return page(
        "Done",
        html`<p>Your password has been changed, and you are signed out everywhere else.</p>`,
      );
    return page("New password", form(token), {
      status: answer.status === 429 ? 429 : 400,
      alert: reasonOf(answer),
    });
  });
}

function form(token: string): Html {
  return html`<form method="post" action="/reset-password"><input type="hidden" name="token" value="${token}">
<label>New password, 8 characters or more
<input name="password" type="password" autocomplete="new-password" minlength="8" maxlength="128" required autofocus></label>
<label>The same again <input name="again" type="password" autocomplete="new-password" required></label>
<button>Change password</button></form>`;
}
