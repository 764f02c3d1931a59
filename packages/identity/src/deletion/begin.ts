import { withTransaction } from "@bursar/database/transaction";
import type { Deps } from "@bursar/engine/deps";
import { markAllRevoked } from "@bursar/engine/key/store";
import { departFromAll } from "@bursar/engine/organization/depart";
import { disableTopUp } from "@bursar/engine/topup/store-policies";
import { accountIdOf } from "../people/naming.ts";
import { insertDeletion, lockPerson } from "./store.ts";

export type BeginDeletionOutcome =
  /** Also where it was begun before. */
  | { readonly kind: "begun" }
  | { readonly kind: "person_unknown" }
  /** There must be one left, and nobody counts them at the same moment: another one takes the role, or deletes them. */
  | { readonly kind: "is_administrator" }
  /** These have this person for their owner: each is to be transferred first. */
  | { readonly kind: "owner_needed"; readonly ids: readonly string[] };

/** Begins the deletion of somebody who has asked for it: all that lets anybody act as them, or their account act by
 *  itself, ends in one transaction, which also writes down that the rest is to follow. From then on it comes to its end
 *  whatever crashes, and nothing takes it back.
 *  Outcomes, first match wins: person_unknown, is_administrator, begun (before), owner_needed, begun. */
export function beginDeletion(
  deps: Pick<Deps, "pool" | "clock">,
  personId: string,
): Promise<BeginDeletionOutcome> {
  const now = deps.clock.now();
  return withTransaction(deps.pool, async (client): Promise<BeginDeletionOutcome> => {
    const person = await lockPerson(client, personId);
    if (person === null) return { kind: "person_unknown" };
    if (person.role === "admin") return { kind: "is_administrator" };
    if (person.isLeaving) return { kind: "begun" };
    const departure = await departFromAll(client, { personId, at: now });
    if (departure.kind === "owner_needed") return departure;
    const accountId = accountIdOf(personId);
    await disableTopUp(client, accountId, "account_closed", now);
    await markAllRevoked(client, accountId, now);
    await insertDeletion(client, personId, now);
    return { kind: "begun" };
  });
}
