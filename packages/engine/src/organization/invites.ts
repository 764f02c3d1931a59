import { createHash, randomBytes } from "node:crypto";
import { newInviteId } from "@bursar/contract/ids";
import { addSeconds } from "@bursar/contract/instant";
import { withTransaction } from "@bursar/database/transaction";
import type { Deps } from "../deps.ts";
import { enqueueMail } from "../mail/outbox.ts";
import { type AcceptDecision, decideAcceptance, type Invite, type Member } from "./decide.ts";
import { countInvite, type InviteLimited, letter } from "./invite-mail.ts";
import { findOrganization, type OrganizationRecord } from "./store.ts";
import * as store from "./store-invites.ts";
import { findMember, insertMember } from "./store-members.ts";
import { type Denied, type InOrganization, lookInto, takeTurn } from "./turn.ts";

export interface InviteRequest extends InOrganization {
  readonly email: string;
  readonly role: Invite["role"];
  readonly days: number;
  /** Where the link leads, the token comes behind it. */
  readonly linkTo: string;
}

export type InviteOutcome =
  | { readonly kind: "invited"; readonly invite: Invite; readonly token: string; readonly link: string }
  | InviteLimited
  | Denied;

const SECONDS_PER_DAY = 86_400;

/** Invites whoever reads this mailbox, by a link that is good once and for some days. An earlier invite of the same
 *  mailbox ends. The token is in this answer and in the mail, and nowhere else.
 *  Outcomes, first match wins: organization_unknown, role_required, limited, invited. */
export function invite(deps: Pick<Deps, "pool" | "clock">, request: InviteRequest): Promise<InviteOutcome> {
  const { organizationId, role, days, linkTo, actor } = request;
  return takeTurn(deps, request, "invite", async (turn): Promise<InviteOutcome> => {
    const { client, organization, role: inviter, now } = turn;
    // Who may not make an admin of a member may not invite one.
    if (role === "admin" && inviter !== "owner")
      return { kind: "role_required", role: inviter, action: "invite" };
    const token = `inv_${randomBytes(32).toString("base64url")}`;
    const email = request.email.toLowerCase();
    const limited = await countInvite(client, now, { actor, email });
    if (limited !== null) return limited;
    await store.revokeInvitesOf(client, { organizationId, email, at: now });
    const made = { id: newInviteId(), organizationId, email, role, createdAt: now };
    const invite = { ...made, expiresAt: addSeconds(now, days * SECONDS_PER_DAY), ...store.OPEN };
    await store.insertInvite(client, { invite, tokenHash: hashOf(token), by: actor.by });
    const link = `${linkTo}${token}`;
    await enqueueMail(deps, client, {
      id: `invite:${invite.id}`,
      to: email,
      ...letter(organization, invite, link, token),
    });
    return { kind: "invited", invite, token, link };
  });
}

function hashOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

/** The invites that are not over yet, the latest first. */
export function openInvites(
  deps: Pick<Deps, "pool" | "clock">,
  request: InOrganization,
): Promise<{ readonly kind: "invites"; readonly invites: readonly Invite[] } | Denied> {
  return lookInto(deps, request, "invite", async ({ client, organization, now }) => ({
    kind: "invites",
    invites: await store.listInvites(client, organization.id, now),
  }));
}

/** Takes an invite back. Outcomes: organization_unknown, role_required, invite_unknown (also when it is over), revoked. */
export function revokeInvite(
  deps: Pick<Deps, "pool" | "clock">,
  request: InOrganization & { readonly id: string },
): Promise<{ readonly kind: "revoked" } | { readonly kind: "invite_unknown" } | Denied> {
  const { id, organizationId } = request;
  return takeTurn(deps, request, "invite", async ({ client, now }) => {
    const isOpen = await store.revokeInvite(client, { id, organizationId, at: now });
    return { kind: isOpen ? "revoked" : "invite_unknown" };
  });
}

export type AcceptOutcome =
  | { readonly kind: "joined"; readonly duplicate: boolean; readonly organization: OrganizationRecord }
  | { readonly kind: "invite_unknown" | Exclude<AcceptDecision, "accept" | "repeated"> };

/** Lets a person join by the token of an invite, once, however often it is sent at the same time.
 *  Outcomes, first match wins: invite_unknown, then as `decideAcceptance`, joined. */
export function acceptInvite(
  deps: Pick<Deps, "pool" | "clock">,
  { token, member }: { readonly token: string; readonly member: Member },
): Promise<AcceptOutcome> {
  const tokenHash = hashOf(token);
  return withTransaction(deps.pool, async (client) => {
    const organizationId = await store.organizationOfInvite(client, tokenHash);
    const organization =
      organizationId === null ? null : await findOrganization(client, organizationId, true);
    const invite = organization === null ? null : await store.findInvite(client, tokenHash);
    if (invite === null || organization === null) return { kind: "invite_unknown" };
    const now = deps.clock.now();
    const decision = decideAcceptance(invite, member, now);
    if (decision === "repeated") {
      // Whose membership has ended since is not let in again, and not told so either.
      const isMember = (await findMember(client, organization.id, member.personId)) !== null;
      return isMember ? { kind: "joined", duplicate: true, organization } : { kind: "invite_used" };
    }
    if (decision !== "accept") return { kind: decision };
    await store.markAccepted(client, { id: invite.id, by: member.personId, at: now });
    const { defaultDay: day, defaultMonth: month, defaultTotal: total } = organization;
    const joining = { organizationId: organization.id, member, role: invite.role, joinedAt: now };
    await insertMember(client, { ...joining, caps: { day, month, total } });
    return { kind: "joined", duplicate: false, organization };
  });
}
