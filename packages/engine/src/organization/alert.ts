import { formatCredits } from "@bursar/contract/money";
import { withTransaction } from "@bursar/database/transaction";
import type { Deps } from "../deps.ts";
import { notify } from "../notice/notify.ts";
import { setAlertLevel, takeChangedLevels } from "./store-alerts.ts";

const BATCH = 100;

/** Tells an organization's owner when it has less than 500 credits left, and again at 100: once a crossing, and not on
 *  the way up. Any number of processes may do it. Returns how many organizations have crossed a line. */
export function alertOwners(deps: Pick<Deps, "pool" | "clock">): Promise<number> {
  return withTransaction(deps.pool, async (client) => {
    const changed = await takeChangedLevels(client, BATCH);
    for (const level of changed) {
      const { id, name, ownerAccountId, left, before, after, seq } = level;
      await setAlertLevel(client, id, after);
      const isWorse = after !== null && (before === null || after < before);
      if (!isWorse) continue;
      const credits = formatCredits(left);
      await notify(client, deps.clock, {
        id: `organization_alert:${id}:${after}:${seq}`,
        accountId: ownerAccountId,
        kind: "organization_alert",
        title: `${name.replace(/\p{Cc}/gu, " ").slice(0, 100)} has less than ${after} credits left`,
        text: `${name} has ${credits} credits left. Its members' work stops when they are used up.`,
        details: { organizationId: id, left: credits, level: after },
        mail: true,
      });
    }
    return changed.length;
  });
}
