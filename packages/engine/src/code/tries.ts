import type { AccountId } from "@bursar/contract/ids";
import { type Instant, MICROSECONDS_PER_SECOND } from "@bursar/contract/instant";
import { withTransaction } from "@bursar/database/transaction";
import type { Deps } from "../deps.ts";
import { digestOf } from "../digest.ts";
import type { Queryable } from "../mail/store.ts";
import { addTry, countTries, forgetTries, lockTries } from "./store-tries.ts";

const WINDOW_MICROSECONDS = 15 * 60 * MICROSECONDS_PER_SECOND;
const HOUR_MICROSECONDS = 3600 * MICROSECONDS_PER_SECOND;
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
  const start = startOf(now, WINDOW_MICROSECONDS);
  // Addresses are kept as hashes.
  const [account, place] = [`account:${accountId}`, `address:${digestOf(address)}`];
  return withTransaction(deps.pool, async (client) => {
    const ofAccount = await lockTries(client, account, start);
    const ofAddress = await countTries(client, place, start);
    if (ofAccount >= ACCOUNT_LIMIT || ofAddress >= ADDRESS_LIMIT)
      return limitedUntil(start + WINDOW_MICROSECONDS, now);
    const outcome = await work(client);
    if (failed(outcome)) for (const scope of [account, place]) await addTry(client, scope, start);
    return outcome;
  });
}

/** What may happen so often within an hour. */
export interface HourlyLimit {
  readonly scope: string;
  readonly limit: number;
}

/** Counts something once in all of these, in the caller's transaction; whoever asks about one of them next waits until it
 *  ends. Where one is used up, nothing is counted, and that one is said. Callers name them in one order. */
export async function countWithinHour<Limit extends HourlyLimit>(
  client: Queryable,
  now: Instant,
  limits: readonly Limit[],
): Promise<(Limited & { readonly by: Limit }) | null> {
  const start = startOf(now, HOUR_MICROSECONDS);
  for (const by of limits)
    if ((await lockTries(client, by.scope, start)) >= by.limit)
      return { ...limitedUntil(start + HOUR_MICROSECONDS, now), by };
  for (const { scope } of limits) await addTry(client, scope, start);
  return null;
}

/** Forgets windows that are over, the longest too. */
export async function forgetOldTries(deps: Pick<Deps, "pool" | "clock">): Promise<void> {
  await forgetTries(deps.pool, (deps.clock.now() - HOUR_MICROSECONDS) as Instant);
}

const startOf = (now: Instant, window: number) => (now - (now % window)) as Instant;

function limitedUntil(end: number, now: Instant): Limited {
  return { kind: "limited", retryAfterSeconds: Math.ceil((end - now) / MICROSECONDS_PER_SECOND) };
}
