import type { AccountId } from "@bursar/contract/ids";
import { openPace } from "../clock/pace.ts";
import { resetIfDue } from "../quota/reset.ts";
import { NO_NEED, type TopUpDeps, topUp } from "./buy.ts";
import { forgetEffects, policiesInNeed, wantedEffects } from "./store-policies.ts";

const LIMIT = 100;
const SWEEP_SECONDS = 15;
const AT_ONCE = 8;

/** Sees to accounts that have fallen below their threshold: those the ledger's commits have reported, at once; and all
 *  others that are below it, now and then, so that a report that got lost stops no top-up.
 *  The returned function says how many it bought for or saw to. */
export function watchTopUps(deps: TopUpDeps): () => Promise<number> {
  const isTime = openPace(SWEEP_SECONDS);
  const sweep = async () => {
    const now = deps.clock.now();
    if (!isTime(now)) return 0;
    return seeTo(deps, await policiesInNeed(deps.pool, { now, limit: LIMIT }));
  };
  return async () => {
    const effects = await wantedEffects(deps.pool, LIMIT);
    await seeTo(deps, [...new Set(effects.map(({ accountId }) => accountId))]);
    await forgetEffects(deps.pool, effects);
    return effects.length + (await sweep());
  };
}

/** Returns for how many something was bought. One account's trouble is not another's: the sweep comes back to it. */
async function seeTo(deps: TopUpDeps, accountIds: readonly AccountId[]): Promise<number> {
  let bought = 0;
  await atMost(AT_ONCE, accountIds, async (accountId) => {
    try {
      // At the turn of a month the old quota may be gone a moment before the new one comes.
      await resetIfDue(deps, accountId);
      if ((await topUp(deps, accountId, NO_NEED)).kind === "added") bought++;
    } catch (error) {
      deps.log.warn({ err: error, accountId }, "a top-up did not get through; it is looked at again");
    }
  });
  return bought;
}

/** A slow payment provider holds up a few accounts, not all. */
async function atMost<Item>(
  count: number,
  items: readonly Item[],
  work: (item: Item) => Promise<unknown>,
): Promise<void> {
  const rest = items.values();
  const run = async () => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: count }, run));
}
