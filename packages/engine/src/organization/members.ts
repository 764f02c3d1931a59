import type { Deps } from "../deps.ts";
import { useOf } from "./caps.ts";
import { type MemberUse, mayDecideAbout, type OrganizationRole } from "./decide.ts";
import { endMembership } from "./depart.ts";
import { revokeInvitesBy } from "./store-invites.ts";
import { findMember, listMembers, type MemberRecord, updateRole } from "./store-members.ts";
import { type Denied, type InOrganization, lookInto, takeTurn } from "./turn.ts";

type MemberDeps = Pick<Deps, "pool" | "clock">;

export interface AboutMember extends InOrganization {
  readonly personId: string;
}

export type MemberOutcome =
  | { readonly kind: "done" }
  | { readonly kind: "member_unknown" }
  /** An organization always has its owner: ownership is transferred, never left. */
  | { readonly kind: "owner_needed" }
  | Denied;

export interface SeenMember extends MemberRecord {
  readonly used: MemberUse;
}

/** Who belongs to the organization, with caps and use; a member sees those of others as null. */
export function members(
  deps: MemberDeps,
  request: InOrganization,
): Promise<
  | { readonly kind: "members"; readonly members: readonly (SeenMember | (MemberRecord & { used: null }))[] }
  | Denied
> {
  return lookInto(deps, request, "see", async ({ client, organization, role, now }) => {
    const found = await listMembers(client, organization.id);
    const seen = found.map(async (member) => {
      if (role === "member" && member.personId !== request.actor.personId)
        return { ...member, day: null, month: null, total: null, used: null };
      return { ...member, used: await useOf(client, organization.accountId, member.personId, now) };
    });
    return { kind: "members", members: await Promise.all(seen) };
  });
}

/** Makes a member an admin, or an admin a member. */
export function setRole(
  deps: MemberDeps,
  request: AboutMember & { readonly role: Exclude<OrganizationRole, "owner"> },
): Promise<MemberOutcome> {
  const { organizationId, personId, role } = request;
  return takeTurn(deps, request, "setRoles", async ({ client, now }) => {
    const member = await findMember(client, organizationId, personId);
    if (member === null) return { kind: "member_unknown" };
    if (member.role === "owner") return { kind: "owner_needed" };
    if (role === "member") await revokeInvitesBy(client, { organizationId, personId, at: now });
    await updateRole(client, organizationId, personId, role);
    return { kind: "done" };
  });
}

/** Ends a membership: the next command of whoever was removed is refused. Removing nobody is done already. */
export function removeMember(deps: MemberDeps, request: AboutMember): Promise<MemberOutcome> {
  const { organizationId, personId } = request;
  return takeTurn(deps, request, "remove", async ({ client, role, now }): Promise<MemberOutcome> => {
    const member = await findMember(client, organizationId, personId);
    if (member === null) return { kind: "member_unknown" };
    if (member.role === "owner") return { kind: "owner_needed" };
    if (!mayDecideAbout(role, member.role)) return { kind: "role_required", role, action: "remove" };
    await endMembership(client, { organizationId, personId, at: now });
    return { kind: "done" };
  });
}

/** Ends one's own membership. */
export function leave(deps: MemberDeps, request: AboutMember): Promise<MemberOutcome> {
  const { organizationId, personId } = request;
  return takeTurn(deps, request, "see", async ({ client, now }) => {
    const member = await findMember(client, organizationId, personId);
    if (member === null) return { kind: "member_unknown" };
    if (member.role === "owner") return { kind: "owner_needed" };
    await endMembership(client, { organizationId, personId, at: now });
    return { kind: "done" };
  });
}

/** Hands the organization to another member; who had it becomes an admin. Never two owners, never none, however many
 *  hand it on at once. Handing it to its owner is done already. */
export function transfer(deps: MemberDeps, request: AboutMember): Promise<MemberOutcome> {
  const { organizationId, personId } = request;
  return takeTurn(deps, request, "transfer", async ({ client }) => {
    const next = await findMember(client, organizationId, personId);
    if (next === null) return { kind: "member_unknown" };
    const [owner] = await listMembers(client, organizationId);
    if (owner !== undefined && owner.role === "owner")
      await updateRole(client, organizationId, owner.personId, "admin");
    await updateRole(client, organizationId, personId, "owner");
    return { kind: "done" };
  });
}
