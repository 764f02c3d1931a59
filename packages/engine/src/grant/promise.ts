import type { Deps } from "../deps.ts";
import type { Queryable } from "../mail/store.ts";
import { grant } from "./grant.ts";
import {
  deletePromise,
  insertPromise,
  listPromises,
  type PromisedGrant,
  refusePromise,
} from "./store-promised.ts";

type KeepDeps = Pick<Deps, "ledger" | "pool" | "clock" | "log">;

/** Promises the grant in the caller's transaction: if that commits, the credits will come. */
export async function promiseGrant(
  deps: Pick<Deps, "clock">,
  queryable: Queryable,
  promised: PromisedGrant,
): Promise<void> {
  await insertPromise(queryable, promised, deps.clock.now());
}

/** Keeps what the commit has promised, so that whoever asks for the balance next sees it. Never throws: what cannot be
 *  done now is done by the background. */
export async function keepPromise(deps: KeepDeps, promised: PromisedGrant): Promise<void> {
  await keep(deps, promised).catch((error: unknown) =>
    deps.log.warn({ err: error, grantId: promised.id }, "a promised grant comes a little later"),
  );
}

const BATCH = 100;

/** Keeps every promise that is still open. Any number of processes may do it: the ledger grants an id once. Returns how
 *  many it has closed. Throws: LedgerUnavailable. */
export async function keepPromises(deps: KeepDeps): Promise<number> {
  const promises = await listPromises(deps.pool, BATCH);
  await Promise.all(promises.map((promised) => keep(deps, promised)));
  return promises.length;
}

async function keep(deps: KeepDeps, promised: PromisedGrant): Promise<void> {
  const outcome = await grant(deps, promised);
  if (outcome.kind === "granted") return deletePromise(deps.pool, promised);
  deps.log.error(
    { ...promised, amount: String(promised.amount), outcome: outcome.kind },
    "a promised grant was refused",
  );
  await refusePromise(deps.pool, promised, outcome.kind);
}
