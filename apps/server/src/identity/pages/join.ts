import type { Deps } from "@bursar/engine/deps";
import { type AcceptOutcome, acceptInvite } from "@bursar/engine/organization/invites";
import type { Context, Hono } from "hono";
import { ownForm, type PageDeps } from "./ask.ts";
import { type Html, html, page } from "./page.ts";
import type { Place } from "./place.ts";
import { mountSignIn, signInPage, whoLooks } from "./sign-in.ts";

type JoinDeps = Omit<PageDeps, "hasOidc"> & Pick<Deps, "pool" | "clock">;

const TITLE = "Join an organization";
const PLACE: Place = { path: "/join", keeps: "token", why: "Sign in to join an organization." };

/** Where the link of an invite leads. Opening it changes nothing; who has signed in presses the button. */
export function mountJoinPage(app: Hono, deps: JoinDeps): void {
  mountSignIn(app, pageDeps(deps), PLACE);
  app.get("/join", (context) => page(TITLE, joinForm(context.req.query("token") ?? "")));
  app.post("/join", (context) => join(deps, context));
}

const pageDeps = (deps: JoinDeps): PageDeps => ({ ...deps, hasOidc: deps.identity.hasOidc });

async function join(deps: JoinDeps, context: Context): Promise<Response> {
  const pages = pageDeps(deps);
  const sent = await ownForm(pages, context);
  if (sent instanceof Response) return sent;
  const { token = "" } = sent;
  const person = await whoLooks(pages, context);
  if (person === null) return signInPage(pages, PLACE, { token }, { status: 401 });
  const { id: personId, accountId, email } = person;
  const outcome = await acceptInvite(deps, { token, member: { personId, accountId, email } });
  if (outcome.kind !== "joined") {
    const next = outcome.kind === "invite_for_another" ? anotherForm(token) : html``;
    return page(TITLE, next, { status: 400, alert: MESSAGES[outcome.kind] });
  }
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

function anotherForm(token: string): Html {
  return html`<form method="post" action="/join/sign-out"><input type="hidden" name="token" value="${token}">
<button>Use another account</button></form>`;
}
