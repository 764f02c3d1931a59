import type { MicroCredits } from "@bursar/contract/money";
import { credits } from "@bursar/contract/shapes";
import type { CapWindow, MemberCaps, MemberUse } from "@bursar/engine/organization/decide";
import type { Actor, Denied, InOrganization } from "@bursar/engine/organization/turn";
import type { Call } from "./context.ts";
import { organizationUnknown } from "./payer.ts";
import type { Problem } from "./problem.ts";

export function actorOf({ principal }: Pick<Call<"listOrganizations">, "principal">): Actor {
  return {
    personId: principal.person?.personId ?? null,
    isAdmin: principal.kind === "admin",
    by: principal.by,
  };
}

/** Which organization a call is about, and who calls. */
export function inOrganization(
  call: Pick<Call<"listOrganizations">, "principal"> & { readonly params: { readonly id: string } },
): InOrganization {
  return { organizationId: call.params.id, actor: actorOf(call) };
}

const ACTIONS: Record<Extract<Denied, { kind: "role_required" }>["action"], string> = {
  see: "see this",
  ask: "ask for credits",
  change: "change the organization",
  invite: "invite people",
  remove: "remove this member",
  setCaps: "set this member's caps",
  decideRequests: "decide about this request",
  setRoles: "set roles",
  transfer: "transfer the organization",
};

export function denied(outcome: Denied): Problem {
  if (outcome.kind === "organization_unknown") return organizationUnknown(outcome.id);
  const { role, action } = outcome;
  return {
    problem: "role_required",
    message: `As ${role} of the organization you may not ${ACTIONS[action]}`,
  };
}

export function memberUnknown(memberId: string): Problem {
  return {
    problem: "member_unknown",
    message: `The organization has no member ${memberId}`,
    param: "memberId",
  };
}

export const ownerNeeded: Problem = {
  problem: "owner_needed",
  message: "An organization always has its owner: transfer it to another member first",
};

export function capsShown(caps: MemberCaps) {
  const shown = (amount: MicroCredits | null) => (amount === null ? null : credits(amount));
  return { day: shown(caps.day), month: shown(caps.month), total: shown(caps.total) };
}

export function useShown(used: MemberUse): Record<CapWindow, string> {
  return { day: credits(used.day), month: credits(used.month), total: credits(used.total) };
}
