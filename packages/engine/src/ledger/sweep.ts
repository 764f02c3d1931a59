import type { Deps } from "../deps.ts";
import type { ExpireCommand, Outcome } from "./command.ts";
import { dueGrants, dueHolds, forgetExpiries } from "./store-due.ts";

export interface SweepResult {
  readonly grants: number;
  readonly holds: number;
  /** Grants of which nothing was left to end. */
  readonly forgotten: number;
}

/** Ends what time has ended: grants past their expiry, and holds whose owner has gone. Each through the ledger, so that
 *  any number of processes may sweep at once. Returns how many it ended. */
export async function sweep(deps: Pick<Deps, "ledger" | "pool" | "clock">): Promise<SweepResult> {
  const now = deps.clock.now();
  const grants = await dueGrants(deps.pool, now);
  const holds = await dueHolds(deps.pool, now);
  const expired = await Promise.all(grants.map((grant) => end(deps, { ...grant, ...common })));
  const closed = await Promise.all(holds.map((hold) => end(deps, { ...hold, ...common })));
  const empty = grants.filter(
    (_, index) => expired[index]!.kind === "grant_unknown" || expired[index]!.kind === "duplicate",
  );
  await forgetExpiries(deps.pool, empty);
  const count = (outcomes: readonly Outcome[]) => outcomes.filter(({ kind }) => kind === "done").length;
  return { grants: count(expired), holds: count(closed), forgotten: empty.length };
}

const common = { kind: "expire", by: "system:sweep" } as const;

function end(deps: Pick<Deps, "ledger">, command: ExpireCommand): Promise<Outcome> {
  return deps.ledger.submit(command);
}
