import type { AccountId, GrantId, HoldId } from "@bursar/contract/ids";
import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type pg from "pg";
import type { Deps } from "../deps.ts";
import type { ExpireCommand, Outcome } from "./command.ts";

export interface SweepResult {
  readonly grants: number;
  readonly holds: number;
}

const SWEEP_LIMIT = 500;

/** Ends what time has ended: grants past their expiry, and holds whose owner has gone. Each through the ledger, so that
 *  any number of processes may sweep at once. Returns how many it ended. */
export async function sweep(deps: Pick<Deps, "ledger" | "pool" | "clock">): Promise<SweepResult> {
  const now = deps.clock.now();
  const grants = await dueGrants(deps.pool, now);
  const holds = await dueHolds(deps.pool, now);
  const expired = await Promise.all(grants.map((grant) => end(deps, { ...grant, ...common })));
  const closed = await Promise.all(holds.map((hold) => end(deps, { ...hold, ...common })));
  await forgetExpiries(
    deps.pool,
    grants.filter(
      (_, index) => expired[index]!.kind === "grant_unknown" || expired[index]!.kind === "duplicate",
    ),
  );
  const count = (outcomes: readonly Outcome[]) => outcomes.filter(({ kind }) => kind === "done").length;
  return { grants: count(expired), holds: count(closed) };
}

const common = { kind: "expire", by: "system:sweep" } as const;

function end(deps: Pick<Deps, "ledger">, command: ExpireCommand): Promise<Outcome> {
  return deps.ledger.submit(command);
}

async function dueGrants(pool: pg.Pool, now: Instant): Promise<{ accountId: AccountId; grantId: GrantId }[]> {
  const { rows } = await pool.query<{ accountId: AccountId; grantId: GrantId }>(
    `select account_id as "accountId", grant_id as "grantId" from grant_expiries
     where expires_at <= $1 order by expires_at limit $2`,
    [formatPostgresTimestamp(now), SWEEP_LIMIT],
  );
  return rows;
}

async function dueHolds(pool: pg.Pool, now: Instant): Promise<{ accountId: AccountId; holdId: HoldId }[]> {
  const { rows } = await pool.query<{ accountId: AccountId; holdId: HoldId }>(
    `select account_id as "accountId", hold_id as "holdId" from holds
     where expires_at <= $1 order by expires_at limit $2`,
    [formatPostgresTimestamp(now), SWEEP_LIMIT],
  );
  return rows;
}

/** Grants that had nothing left when their time came leave no entry, only the list of those to come. */
async function forgetExpiries(
  pool: pg.Pool,
  grants: readonly { accountId: AccountId; grantId: GrantId }[],
): Promise<void> {
  if (grants.length === 0) return;
  await pool.query(
    `delete from grant_expiries t using unnest($1::text[], $2::text[]) as gone (account_id, grant_id)
     where t.account_id = gone.account_id and t.grant_id = gone.grant_id`,
    [grants.map((grant) => grant.accountId), grants.map((grant) => grant.grantId)],
  );
}
