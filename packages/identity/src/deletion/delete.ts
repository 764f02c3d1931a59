import { forgetOwner } from "@bursar/engine/account/forget";
import type { Deps } from "@bursar/engine/deps";
import { enqueueMail } from "@bursar/engine/mail/outbox";
import { departFromAll } from "@bursar/engine/organization/depart";
import type { Letter } from "../mail/letters.ts";
import { type LastAdministrator, unlessLast } from "../people/last-administrator.ts";
import { accountIdOf, canGetMail } from "../people/naming.ts";
import { deletePerson } from "../people/store.ts";
import { lockPerson } from "./store.ts";

export type DeleteOutcome =
  | { readonly kind: "deleted" }
  | { readonly kind: "person_unknown" }
  /** These have this person for their owner; nothing was done. */
  | { readonly kind: "owner_needed"; readonly ids: readonly string[] }
  | LastAdministrator;

/** Everything that says who somebody was goes in one transaction, and the letter that tells them so is written in it.
 *  Outcomes, first match wins: last_administrator, person_unknown, owner_needed, deleted. */
export function deleteForGood(
  deps: Pick<Deps, "pool" | "clock">,
  id: string,
  farewell: Letter | null,
): Promise<DeleteOutcome> {
  const now = deps.clock.now();
  return unlessLast(deps.pool, id, async (client): Promise<DeleteOutcome> => {
    if ((await lockPerson(client, id)) === null) return { kind: "person_unknown" };
    const departure = await departFromAll(client, { personId: id, at: now });
    if (departure.kind === "owner_needed") return departure;
    const address = (await deletePerson(client, id))!;
    await forgetOwner(client, { personId: id, accountId: accountIdOf(id), ...address }, now);
    const { email: to } = address;
    if (farewell !== null && canGetMail(to))
      await enqueueMail(deps, client, { ...farewell, id: `farewell:${id}`, to, isFarewell: true });
    return { kind: "deleted" };
  });
}
