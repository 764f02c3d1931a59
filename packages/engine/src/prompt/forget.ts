import { randomUUID } from "node:crypto";
import type { AccountId } from "@bursar/contract/ids";
import type { Deps } from "../deps.ts";
import { closeLeftHolds } from "../hold/left.ts";
import { deleteEnded, deleteRow, type LeftRow, takeLeft } from "./store.ts";

const PORTION = 500;
/** Long enough to release the holds of a portion; whoever dies over it is followed by another one. */
const LEASE_SECONDS = 60;

type ForgetDeps = Pick<Deps, "pool" | "clock" | "ledger" | "prices" | "log">;

/** Forgets prompts that ended a while ago, and those that nobody has gone on with, once what these still hold is given
 *  back. Returns how many. */
export async function forgetPrompts(deps: ForgetDeps): Promise<number> {
  const { pool, clock } = deps;
  const now = clock.now();
  const ended = await deleteEnded(pool, now, PORTION);
  const lease = { owner: randomUUID(), leaseSeconds: LEASE_SECONDS };
  let forgotten = 0;
  for (const left of await takeLeft(pool, now, { ...lease, limit: PORTION }))
    if (await forget(deps, left)) forgotten += 1;
  return ended + forgotten;
}

/** False: not now. Its turn comes again when the lease is over. */
async function forget(deps: ForgetDeps, { opening, askedBy: by, ...hand }: LeftRow): Promise<boolean> {
  const { requestId } = hand;
  try {
    if (opening !== null) {
      const { payer: accountId } = JSON.parse(opening) as { payer: AccountId };
      const prefix = `hold_${requestId.replace(/^req_/, "")}`;
      await closeLeftHolds(deps, { accountId, prefix, by, requestId });
    }
    await deleteRow(deps.pool, hand);
    return true;
  } catch (error) {
    deps.log.warn({ err: error, requestId }, "what a forgotten prompt holds could not be given back yet");
    return false;
  }
}
