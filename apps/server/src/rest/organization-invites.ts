import { iso } from "@bursar/contract/shapes";
import type { Invite } from "@bursar/engine/organization/decide";
import type { InviteLimited } from "@bursar/engine/organization/invite-mail";
import * as engine from "@bursar/engine/organization/invites";
import { personRequired } from "./authenticate.ts";
import type { Handler } from "./context.ts";
import { denied, inOrganization } from "./organization-answers.ts";
import type { Problem } from "./problem.ts";

export const createInvite: Handler<"createInvite"> = async (call) => {
  const linkTo = `${call.deps.identity.url()}/join?token=`;
  const outcome = await engine.invite(call.deps, { ...inOrganization(call), ...call.body, linkTo });
  if (outcome.kind === "limited") return limited(outcome);
  if (outcome.kind !== "invited") return denied(outcome);
  const { invite, link, token } = outcome;
  return { answer: { ...inviteAnswer(invite), link, token } };
};

function limited({ of, retryAfterSeconds }: InviteLimited): Problem {
  const isMailbox = of === "mailbox";
  const what = isMailbox
    ? "This address has been sent as many invites as it may get within an hour"
    : "You have sent as many invites as a person may within an hour";
  const message = `${what}; try again in ${retryAfterSeconds} seconds`;
  return { problem: "rate_limited", message, param: isMailbox ? "email" : null, retryAfterSeconds };
}

function inviteAnswer({ id, email, role, createdAt, expiresAt }: Invite) {
  return { id, email, role, createdAt: iso(createdAt)!, expiresAt: iso(expiresAt)! };
}

export const listInvites: Handler<"listInvites"> = async (call) => {
  const outcome = await engine.openInvites(call.deps, inOrganization(call));
  return outcome.kind === "invites"
    ? { answer: { invites: outcome.invites.map(inviteAnswer) } }
    : denied(outcome);
};

export const revokeInvite: Handler<"revokeInvite"> = async (call) => {
  const { inviteId: id } = call.body;
  const outcome = await engine.revokeInvite(call.deps, { ...inOrganization(call), id });
  if (outcome.kind === "revoked") return { answer: { id } };
  if (outcome.kind !== "invite_unknown") return denied(outcome);
  return { problem: "invite_unknown", message: `There is no open invite ${id}`, param: "inviteId" };
};

export const acceptInvite: Handler<"acceptInvite"> = async ({ deps, principal, body }) => {
  const member = principal.person;
  if (member === undefined) return personRequired;
  const outcome = await engine.acceptInvite(deps, { token: body.token, member });
  if (outcome.kind !== "joined") return notAccepted(outcome.kind);
  const { id: organizationId, name } = outcome.organization;
  return { repeated: outcome.duplicate, answer: { organizationId, name } };
};

const MESSAGES = {
  invite_unknown: "This invite is not known",
  invite_for_another: "This invite was sent to another address; sign in with that one",
  invite_used: "This invite has been used or taken back; ask for a new one",
  invite_expired: "This invite has expired; ask for a new one",
} as const;

function notAccepted(kind: keyof typeof MESSAGES): Problem {
  return { problem: kind, message: MESSAGES[kind], param: "token" };
}
