import { createHash } from "node:crypto";
import type { AccountId } from "@bursar/contract/ids";
import { type Instant, MICROSECONDS_PER_SECOND } from "@bursar/contract/instant";
import { withTransaction } from "@bursar/database/transaction";
import type { Deps } from "../deps.ts";
import type { Queryable } from "../mail/store.ts";
import { addTry, countTries, forgetTries, lockTries } from "./store-tries.ts";

const WINDOW_MICROSECONDS = 15 * 60 * MICROSECONDS_PER_SECOND;
const ACCOUNT_LIMIT = 10;
const ADDRESS_LIMIT = 100;

export interface Trier {
  readonly accountId: AccountId;
  readonly address: string;
}

export interface Limited {
  readonly kind: "limited";
  readonly retryAfterSeconds: number;
}

/** Tries a code, in one transaction with the count of those that opened nothing: within a quarter of an hour 10 of an
 *  account and 100 from an address. An account's tries take turns, so that no number of guesses sent at once gets past
 *  its limit; an address may get past its own by as many as run at once.
 *  Throws: database unreachable, which is a no; whatever the work throws. */
export function tryCode<Outcome>(
  deps: Pick<Deps, "pool" | "clock">,
  { accountId, address }: Trier,
  work: (client: Queryable) => Promise<Outcome>,
  failed: (outcome: Outcome) => boolean,
): Promise<Outcome | Limited> {
  const now = deps.clock.now();
  const start = (now - (now % WINDOW_MICROSECONDS)) as Instant;
  const [account, place] = [`account:${accountId}`, `address:${digest(address)}`];
  return withTransaction(deps.pool, async (client) => {
    const ofAccount = await lockTries(client, account, start);
    const ofAddress = await countTries(client, place, start);
    if (ofAccount >= ACCOUNT_LIMIT || ofAddress >= ADDRESS_LIMIT) {
      const left = start + WINDOW_MICROSECONDS - now;
      return { kind: "limited", retryAfterSeconds: Math.ceil(left / MICROSECONDS_PER_SECOND) };
    }
    const outcome = await work(client);
    if (failed(outcome)) for (const scope of [account, place]) await addTry(client, scope, start);
    return outcome;
  });
}

/** Forgets windows that are over. */
export async function forgetOldTries(deps: Pick<Deps, "pool" | "clock">): Promise<void> {
  await forgetTries(deps.pool, (deps.clock.now() - WINDOW_MICROSECONDS) as Instant);
}

function digest(address: string): string {
  return createHash("sha256").update(address).digest("hex").slice(0, 32);
}
