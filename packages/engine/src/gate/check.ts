import type { AccountId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import { type MicroCredits, smaller } from "@bursar/contract/money";
import type { Deps } from "../deps.ts";
import type { Account } from "../ledger/account.ts";
import { spendable } from "../ledger/account.ts";
import { leftOfCap, windowStart, withinCaps } from "../ledger/caps.ts";
import type { Cap, Refusal } from "../ledger/command.ts";
import { readAccount, readCounters } from "../ledger/store-load.ts";
import { type Priced, type Pricing, priceWork, type Work } from "../price/work.ts";
import { type Affordable, affordableFor } from "./affordable.ts";

export interface CheckRequest {
  readonly accountId: AccountId;
  readonly work: Work;
  readonly feature?: string | undefined;
  readonly caps?: readonly Cap[] | undefined;
}

export type CheckOutcome =
  | {
      readonly kind: "checked";
      readonly allowed: boolean;
      readonly amount: MicroCredits;
      readonly available: MicroCredits;
      readonly missing: MicroCredits;
      readonly reason: Refusal["kind"] | null;
      readonly affordable: Affordable;
    }
  | { readonly kind: "account_unknown"; readonly accountId: AccountId }
  | Exclude<Pricing, Priced>;

/** Would this be allowed now? It promises nothing: only a hold does. Writes nothing.
 *  Outcomes: model_unknown, account_unknown, checked. Throws when it cannot be known: callers take that for a no. */
export async function check(
  deps: Pick<Deps, "pool" | "clock" | "prices">,
  request: CheckRequest,
): Promise<CheckOutcome> {
  const book = await deps.prices.current();
  const priced = priceWork(book, request.work);
  if (priced.kind !== "priced") return priced;
  const account = await readAccount(deps.pool, request.accountId);
  if (account === null) return { kind: "account_unknown", accountId: request.accountId };
  const { amount } = priced;
  const now = deps.clock.now();
  const available = spendable(account, request.feature ?? null, now);
  const missing = available >= amount ? 0n : amount - available;
  const { caps = [] } = request;
  const counted = { counters: await countersOf(deps, request, now) };
  const stopped = stopReason(account);
  const capped = withinCaps(counted, caps, amount, now)?.kind ?? null;
  const reason = stopped ?? capped ?? shortage(missing);
  const usable =
    stopped === null
      ? caps.reduce((least, cap) => smaller(least, leftOfCap(counted, cap, now)), available)
      : 0n;
  const affordable = affordableFor(book, request.work, usable);
  return { kind: "checked", allowed: reason === null, amount, available, missing, reason, affordable };
}

function stopReason(account: Account): Refusal["kind"] | null {
  if (account.frozen) return "account_frozen";
  return account.owed > 0n ? "in_debt" : null;
}

function shortage(missing: MicroCredits): Refusal["kind"] | null {
  return missing > 0n ? "insufficient_credits" : null;
}

async function countersOf(
  { pool }: Pick<Deps, "pool">,
  { accountId, caps = [] }: CheckRequest,
  now: Instant,
): Promise<ReadonlyMap<string, MicroCredits>> {
  if (caps.length === 0) return new Map();
  return readCounters(
    pool,
    caps.map((cap) => [accountId, cap.id, windowStart(cap, now)] as const),
  );
}
