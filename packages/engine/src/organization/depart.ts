import type { Instant } from "@bursar/contract/instant";
import type { Deps } from "../deps.ts";
import type { Queryable } from "../mail/store.ts";
import { lockMemberships, organizationsOwned } from "./store-departure.ts";
import { revokeInvitesBy } from "./store-invites.ts";
import { deleteMember } from "./store-members.ts";

/** With the invites that the member has sent and nobody has used: their tokens were in the member's hands. */
export async function endMembership(
  client: Queryable,
  member: { readonly organizationId: string; readonly personId: string; readonly at: Instant },
): Promise<void> {
  await revokeInvitesBy(client, member);
  await deleteMember(client, member.organizationId, member.personId);
}

export type DepartOutcome =
  | { readonly kind: "departed" }
  /** These have this person for their owner: each is to be transferred first. */
  | { readonly kind: "owner_needed"; readonly ids: readonly string[] };

/** Ends all memberships of a person in the transaction that deletes them or begins to, or none of them: no organization
 *  is left without its owner. */
export async function departFromAll(
  client: Queryable,
  { personId, at }: { readonly personId: string; readonly at: Instant },
): Promise<DepartOutcome> {
  const memberships = await lockMemberships(client, personId);
  const owned = memberships.filter(({ role }) => role === "owner");
  if (owned.length > 0)
    return { kind: "owner_needed", ids: owned.map(({ organizationId }) => organizationId) };
  for (const { organizationId } of memberships) await endMembership(client, { organizationId, personId, at });
  return { kind: "departed" };
}

/** What `departFromAll` would say, with nothing done. */
export async function mayDepart({ pool }: Pick<Deps, "pool">, personId: string): Promise<DepartOutcome> {
  const ids = await organizationsOwned(pool, personId);
  return ids.length > 0 ? { kind: "owner_needed", ids } : { kind: "departed" };
}
