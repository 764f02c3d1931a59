import {
  type StopChargesDeps,
  type StopChargesOutcome,
  stopCharges,
} from "@bursar/engine/account/stop-charges";
import type { Keys } from "@bursar/engine/key/keys";
import { removeMethods } from "@bursar/engine/payment/remove-method";
import type { DeleteOutcome } from "@bursar/identity/deletion/delete";
import { farewellLetter, type Letter } from "@bursar/identity/mail/letters";
import type { OpenIdentity } from "@bursar/identity/open";
import { accountIdOf } from "@bursar/identity/people/naming";
import type { Person } from "@bursar/identity/person";
import type { Job } from "../background/job.ts";
import { deleteSessionsOf } from "../compat/credit-check/chat/store.ts";

interface DeletionDeps extends StopChargesDeps {
  readonly keys: Pick<Keys, "revokeAll">;
  readonly identity: Pick<OpenIdentity, "people" | "url">;
}

type Leaving = Pick<Person, "id" | "accountId">;

export type DeletePersonOutcome =
  | Extract<StopChargesOutcome, { kind: "subscription_refused" }>
  | DeleteOutcome;

/** Deletes a person, whoever has asked for it. Outside first: what is charged there must have ended before nobody knows
 *  whose it was. Cut off anywhere, it is asked for again, or gone on with.
 *  Outcomes, first match wins: subscription_refused (nothing was deleted), person_unknown, owner_needed, deleted. Throws:
 *  PaymentsUnavailable, and then nothing was deleted. */
export async function deletePerson(
  deps: DeletionDeps,
  { id, accountId }: Leaving,
  farewell?: Letter,
): Promise<DeletePersonOutcome> {
  const stopped = await stopCharges(deps, accountId);
  if (stopped.kind === "subscription_refused") return stopped;
  await deps.keys.revokeAll(accountId);
  await deleteSessionsOf(deps.pool, accountId);
  return deps.identity.people.delete(id, farewell);
}

/** Goes on with a deletion that somebody has asked for themselves and that has begun. False: it has to be gone on with
 *  later, and is by the background. */
export async function carryOnDeletion(deps: DeletionDeps, leaving: Leaving): Promise<boolean> {
  const { id: personId, accountId } = leaving;
  try {
    // Nothing takes this back: so no charge that is still on its way has to be waited for.
    if (deps.payments !== null) await removeMethods({ ...deps, payments: deps.payments }, accountId);
    const outcome = await deletePerson(deps, leaving, farewellLetter(deps.identity.url(), accountId));
    if (outcome.kind === "deleted" || outcome.kind === "person_unknown") return true;
    deps.log.warn({ personId, outcome }, "a deletion waits; it is tried again");
  } catch (error) {
    deps.log.warn({ err: error, personId }, "a deletion waits; it is tried again");
  }
  return false;
}

const BATCH = 8;

/** Deletions that a crash or an outage has stopped. Any number of processes may go on with them. */
export function deletions(
  deps: DeletionDeps & { readonly identity: Pick<OpenIdentity, "takeDueDeletions"> },
): Job {
  return {
    name: "deletions",
    run: async () => {
      const ids = await deps.identity.takeDueDeletions(BATCH);
      for (const id of ids) await carryOnDeletion(deps, { id, accountId: accountIdOf(id) });
      return ids.length;
    },
  };
}
