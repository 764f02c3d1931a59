import { type ResetDeps, resetIfDue } from "./reset.ts";
import { dueQuotas } from "./store.ts";
import { giveStarters } from "./welcome.ts";

const SWEEP_LIMIT = 200;

/** Resets every account whose time has come, and hands out starter credits that are still on their way. Any number of
 *  processes may. Returns how many it took up. Throws as `resetIfDue` does. */
export async function sweepQuotas(deps: ResetDeps): Promise<number> {
  const due = await dueQuotas(deps.pool, deps.clock.now(), SWEEP_LIMIT);
  let starters = 0;
  try {
    await Promise.all(due.map((accountId) => resetIfDue(deps, accountId)));
  } finally {
    // One account whose reset fails keeps no newcomer waiting.
    starters = await giveStarters(deps, SWEEP_LIMIT);
  }
  return due.length + starters;
}
