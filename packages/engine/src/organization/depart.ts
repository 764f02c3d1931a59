import { withTransaction } from "@bursar/database/transaction";
import type { Deps } from "../deps.ts";
import { lockMemberships, organizationsOwned } from "./store-departure.ts";
import { deleteMember } from "./store-members.ts";

export type DepartOutcome =
  | { readonly kind: "departed" }
  /** These have this person for their owner: each is to be transferred first. */
  | { readonly kind: "owner_needed"; readonly ids: readonly string[] };

/** Ends all memberships of a person who is about to be deleted, or none of them: no organization is left without its
 *  owner. */
export function departFromAll(deps: Pick<Deps, "pool">, personId: string): Promise<DepartOutcome> {
  return withTransaction(deps.pool, async (client) => {
    const memberships = await lockMemberships(client, personId);
    const owned = memberships.filter(({ role }) => role === "owner");
    if (owned.length > 0)
      return { kind: "owner_needed", ids: owned.map(({ organizationId }) => organizationId) };
    for (const { organizationId } of memberships) await deleteMember(client, organizationId, personId);
    return { kind: "departed" };
  });
}

/** What `departFromAll` would say, with nothing done. */
export async function mayDepart({ pool }: Pick<Deps, "pool">, personId: string): Promise<DepartOutcome> {
  const ids = await organizationsOwned(pool, personId);
  return ids.length > 0 ? { kind: "owner_needed", ids } : { kind: "departed" };
}
