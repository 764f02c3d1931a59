import type { Deps } from "../deps.ts";
import type { ExpireCommand, Outcome } from "./command.ts";
import { dueGrants, dueHolds, forgetExpiries } from "./store-due.ts";
import { isUnavailable } from "./unavailable.ts";

export interface SweepResult {
  readonly grants: number;
  readonly holds: number;
  /** Grants of which nothing was left to end. */
  readonly forgotten: number;
}

type SweepDeps = Pick<Deps, "ledger" | "pool" | "clock" | "log">;

/** Ends what time has ended: grants past their expiry, and holds whose owner has gone. Each through the ledger, so that
 *  any number of processes may sweep at once, and each on its own: what cannot be ended is in the log, and keeps nothing
 *  else from its end. Returns how many it ended. Throws: LedgerUnavailable, database unreachable. */
export async function sweep(deps: SweepDeps): Promise<SweepResult> {
  const now = deps.clock.now();
  const [overGrants, overHolds] = [await dueGrants(deps.pool, now), await dueHolds(deps.pool, now)];
  const [grants, holds] = await Promise.all([endAll(deps, overGrants), endAll(deps, overHolds)]);
  const empty = grants.filter(({ outcome }) => outcome === "grant_unknown" || outcome === "duplicate");
  await forgetExpiries(
    deps.pool,
    empty.map(({ due }) => due),
  );
  const count = (ended: readonly Pick<Ended<unknown>, "outcome">[]) =>
    ended.filter(({ outcome }) => outcome === "done").length;
  return { grants: count(grants), holds: count(holds), forgotten: empty.length };
}

interface Ended<Due> {
  readonly due: Due;
  readonly outcome: Outcome["kind"] | "failed";
}

function endAll<Due extends Pick<ExpireCommand, "accountId" | "grantId" | "holdId">>(
  { ledger, log }: SweepDeps,
  all: readonly Due[],
): Promise<Ended<Due>[]> {
  return Promise.all(
    all.map(async (due): Promise<Ended<Due>> => {
      try {
        const { kind } = await ledger.submit({ ...due, kind: "expire", by: "system:sweep" });
        return { due, outcome: kind };
      } catch (error) {
        if (isUnavailable(error)) throw error;
        log.error({ err: error, ...due }, "what is over cannot be ended");
        return { due, outcome: "failed" };
      }
    }),
  );
}
