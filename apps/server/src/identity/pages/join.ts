import type { Deps } from "@bursar/engine/deps";
import { type AcceptOutcome, acceptInvite } from "@bursar/engine/organization/invites";
import type { Context, Hono } from "hono";
import { ownForm, type PageDeps } from "./ask.ts";
import { notFromHere } from "./mail-links.ts";
import { type Html, html, page } from "./page.ts";

type JoinDeps = Omit<PageDeps, "hasOidc"> & Pick<Deps, "pool" | "clock">;

const TITLE = "Join an organization";

/** Where the link of an invite leads. Opening it changes nothing; who has signed in presses the button. */
export function mountJoinPage(app: Hono, deps: JoinDeps): void {
  app.get("/join", (context) => page(TITLE, joinForm(context.req.query("token") ?? "")));
  app.post("/join", (context) => join(deps, context));
}

async function join(deps: JoinDeps, context: Context): Promise<Response> {
  const sent = await ownForm({ ...deps, hasOidc: deps.identity.hasOidc }, context);
  if (sent === null) return notFromHere();
  const { token = "" } = sent;
  const headers = new Headers(context.req.raw.headers);
  headers.delete("authorization");
  const who = await deps.identity.authenticate(headers);
  if (who.kind !== "authenticated")
    return page(TITLE, signInFirst(token), { status: 401, alert: "Sign in first" });
  const { id: personId, accountId, email } = who.person;
  const outcome = await acceptInvite(deps, { token, member: { personId, accountId, email } });
  if (outcome.kind !== "joined") return page(TITLE, html``, { status: 400, alert: MESSAGES[outcome.kind] });
  return page(
    "Done",
    html`<p>You are a member of <b>${outcome.organization.name}</b>. To work on its credits, name it:
<code>${outcome.organization.id}</code></p>`,
  );
}

const MESSAGES: Record<Exclude<AcceptOutcome["kind"], "joined">, string> = {
  invite_unknown: "This invite is not known",
  invite_for_another: "This invite was sent to another address; sign in with that one",
  invite_used: "This invite has been used or taken back; ask for a new one",
  invite_expired: "This invite has expired; ask for a new one",
};

function joinForm(token: string): Html {
  return html`<form method="post" action="/join"><input type="hidden" name="token" value="${token}">
<p>You join with the account that you have signed in with in this browser.</p><button>Join</button></form>`;
}

function signInFirst(token: string): Html {
  return html`<p><a href="/device">Sign in here</a>, come back to this page, and press the button again.</p>${joinForm(token)}`;
}
