import { addSeconds, type Instant } from "@bursar/contract/instant";
import { type TopUpDeps, topUp } from "./buy.ts";
import { forgetEffects, policiesInNeed, wantedEffects } from "./store-policies.ts";

const LIMIT = 100;
const SWEEP_SECONDS = 15;
const AT_ONCE = 8;

/** Sees to accounts that have fallen below their threshold: those the ledger's commits have reported, at once; and all
 *  others that are below it, now and then, so that a report that got lost stops no top-up.
 *  The returned function says how many it bought for or saw to. */
export function watchTopUps(deps: TopUpDeps): () => Promise<number> {
  let sweepAt = 0 as Instant;
  return async () => {
    const effects = await wantedEffects(deps.pool, LIMIT);
    const wanted = new Set(effects.map(({ accountId }) => accountId));
    await atMost(AT_ONCE, [...wanted], (accountId) => topUp(deps, accountId, 0n));
    await forgetEffects(deps.pool, effects);
    if (effects.length > 0) return effects.length;
    const now = deps.clock.now();
    if (now < sweepAt) return 0;
    sweepAt = addSeconds(now, SWEEP_SECONDS);
    let bought = 0;
    await atMost(AT_ONCE, await policiesInNeed(deps.pool, { now, limit: LIMIT }), async (accountId) => {
      if ((await topUp(deps, accountId, 0n)).kind === "added") bought++;
    });
    return bought;
  };
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
