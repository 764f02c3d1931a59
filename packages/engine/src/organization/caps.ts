import type { AccountId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type { Deps } from "../deps.ts";
import { capOfPerson, windowStart } from "../ledger/caps.ts";
import { type Cap, UNLIMITED } from "../ledger/command.ts";
import type { Queryable } from "../mail/store.ts";
import {
  type CapWindow,
  capBelowUse,
  type MemberCaps,
  type MemberUse,
  mayDecideAbout,
  WINDOWS,
} from "./decide.ts";
import { findMember, type MemberRecord, readUse, updateCaps } from "./store-members.ts";
import { type Denied, type InOrganization, takeTurn } from "./turn.ts";

/** Whatever a member holds counts in this one. */
export function capOfMember(personId: string): string {
  return capOfPerson(personId, "total");
}

/** What the ledger holds a member to. All three windows are counted always, so that a cap that is set today knows what
 *  was used before. */
export function capsOf(member: MemberRecord): Cap[] {
  return WINDOWS.map((window) => ({
    id: capOfPerson(member.personId, window),
    limit: member[window] ?? UNLIMITED,
    window,
  }));
}

/** What a member has used of the organization's credits, open holds included. */
export function useOf(
  client: Queryable,
  accountId: AccountId,
  personId: string,
  now: Instant,
): Promise<MemberUse> {
  const counter = (window: CapWindow) => ({
    capId: capOfPerson(personId, window),
    windowStart: windowStart({ window }, now),
  });
  return readUse(client, accountId, {
    day: counter("day"),
    month: counter("month"),
    total: counter("total"),
  });
}

export interface SetCapsRequest extends InOrganization {
  readonly personId: string;
  /** What is left out stays. */
  readonly caps: Partial<MemberCaps>;
}

export type SetCapsOutcome =
  | { readonly kind: "set"; readonly caps: MemberCaps; readonly used: MemberUse }
  | { readonly kind: "member_unknown" }
  | { readonly kind: "cap_below_use"; readonly window: CapWindow; readonly used: MicroCredits }
  | Denied;

/** Sets what a member may use, from the member's next command on. 0 stops at once.
 *  Outcomes: organization_unknown, role_required, member_unknown, cap_below_use, set. */
export function setCaps(
  deps: Pick<Deps, "pool" | "clock">,
  request: SetCapsRequest,
): Promise<SetCapsOutcome> {
  const { organizationId, personId } = request;
  return takeTurn(
    deps,
    request,
    "setCaps",
    async ({ client, organization, role, now }): Promise<SetCapsOutcome> => {
      const member = await findMember(client, organizationId, personId);
      if (member === null) return { kind: "member_unknown" };
      if (!mayDecideAbout(role, member.role)) return { kind: "role_required", role, action: "setCaps" };
      const used = await useOf(client, organization.accountId, personId, now);
      const below = capBelowUse(request.caps, used);
      if (below !== null) return { kind: "cap_below_use", ...below };
      const caps = { day: member.day, month: member.month, total: member.total, ...request.caps };
      await updateCaps(client, organizationId, personId, caps);
      return { kind: "set", caps, used };
    },
  );
}
