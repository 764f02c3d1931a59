import type { AccountId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";

export type OrganizationRole = "owner" | "admin" | "member";

/** What may be done in an organization, and by whom. An administrator of the whole product may do what an owner may. */
export const ACTIONS = {
  see: ["owner", "admin", "member"],
  ask: ["owner", "admin", "member"],
  change: ["owner", "admin"],
  invite: ["owner", "admin"],
  remove: ["owner", "admin"],
  setCaps: ["owner", "admin"],
  decideRequests: ["owner", "admin"],
  setRoles: ["owner"],
  transfer: ["owner"],
} as const satisfies Record<string, readonly OrganizationRole[]>;

export type Action = keyof typeof ACTIONS;

export function mayDo(role: OrganizationRole, action: Action): boolean {
  const roles: readonly OrganizationRole[] = ACTIONS[action];
  return roles.includes(role);
}

/** An admin looks after members; owners and other admins are the owner's. */
export function mayDecideAbout(role: OrganizationRole, other: OrganizationRole): boolean {
  return role === "owner" || (role === "admin" && other === "member");
}

export interface Invite {
  readonly id: string;
  readonly organizationId: string;
  readonly email: string;
  readonly role: "admin" | "member";
  readonly createdAt: Instant;
  readonly expiresAt: Instant;
  readonly acceptedAt: Instant | null;
  readonly acceptedBy: string | null;
  readonly revokedAt: Instant | null;
}

/** Somebody who has signed in, as the engine knows them. */
export interface Member {
  readonly personId: string;
  readonly accountId: AccountId;
  readonly email: string;
}

export type AcceptDecision = "accept" | "repeated" | "invite_for_another" | "invite_used" | "invite_expired";

/** Whether this person may join by this invite. First match wins: repeated, invite_for_another, invite_used (also when
 *  it was taken back), invite_expired, accept. */
export function decideAcceptance(invite: Invite, member: Member, now: Instant): AcceptDecision {
  if (invite.acceptedBy === member.personId) return "repeated";
  if (invite.email !== member.email.toLowerCase()) return "invite_for_another";
  if (invite.acceptedAt !== null || invite.revokedAt !== null) return "invite_used";
  return invite.expiresAt <= now ? "invite_expired" : "accept";
}

export const WINDOWS = ["day", "month", "total"] as const;
export type CapWindow = (typeof WINDOWS)[number];

/** What a member may use; null: as much as there is. */
export type MemberCaps = Readonly<Record<CapWindow, MicroCredits | null>>;
/** What a member has used in the present day and month, and in all. */
export type MemberUse = Readonly<Record<CapWindow, MicroCredits>>;

/** A cap below what is used already is a mistake, except for 0: that stops a member at once. */
export function capBelowUse(
  caps: Partial<MemberCaps>,
  used: MemberUse,
): { readonly window: CapWindow; readonly used: MicroCredits } | null {
  for (const window of WINDOWS) {
    const cap = caps[window] ?? null;
    if (cap !== null && cap > 0n && cap < used[window]) return { window, used: used[window] };
  }
  return null;
}

/** The cap that stands closest in a member's way; null: none does. */
export function tightestCap(caps: MemberCaps, used: MemberUse): CapWindow | null {
  let tightest: { window: CapWindow; left: MicroCredits } | null = null;
  for (const window of WINDOWS) {
    const cap = caps[window];
    if (cap === null) continue;
    const left = cap - used[window];
    if (tightest === null || left < tightest.left) tightest = { window, left };
  }
  return tightest?.window ?? null;
}
