import type { AccountId } from "@bursar/contract/ids";
import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type pg from "pg";
import type { Queryable } from "../mail/store.ts";
import type { Quota, Rollover } from "./decide.ts";

interface Row extends Omit<Quota, "rollover"> {
  readonly rolloverCap: MicroCredits | null;
  readonly rolloverMonths: number | null;
}

const COLUMNS = `account_id as "accountId", anchor_at as anchor, credits, rollover_cap as "rolloverCap",
  rollover_months as "rolloverMonths", issued_cycle as "issuedCycle", next_reset_at as "nextResetAt"`;

function quotaOf({ rolloverCap, rolloverMonths, ...quota }: Row): Quota {
  const hasRollover = rolloverCap !== null && rolloverMonths !== null;
  return { ...quota, rollover: hasRollover ? { cap: rolloverCap, months: rolloverMonths } : null };
}

export async function findQuota(pool: pg.Pool, accountId: AccountId): Promise<Quota | null> {
  const { rows } = await pool.query<Row>(`select ${COLUMNS} from quotas where account_id = $1`, [accountId]);
  return rows[0] === undefined ? null : quotaOf(rows[0]);
}

/** Accounts whose next cycle has begun, the longest due first. */
export async function dueQuotas(pool: pg.Pool, now: Instant, limit: number): Promise<AccountId[]> {
  const { rows } = await pool.query<{ accountId: AccountId }>(
    `select account_id as "accountId" from quotas where next_reset_at <= $1 order by next_reset_at limit $2`,
    [formatPostgresTimestamp(now), limit],
  );
  return rows.map((row) => row.accountId);
}

/** The cycle is issued. Changes nothing where another process has said so already. */
export async function markReset(
  pool: pg.Pool,
  quota: Pick<Quota, "accountId" | "nextResetAt">,
  issued: { readonly cycle: number; readonly nextResetAt: Instant },
): Promise<void> {
  await pool.query(
    `update quotas set issued_cycle = $3, next_reset_at = $4 where account_id = $1 and next_reset_at = $2`,
    [
      quota.accountId,
      formatPostgresTimestamp(quota.nextResetAt),
      issued.cycle,
      formatPostgresTimestamp(issued.nextResetAt),
    ],
  );
}

export interface QuotaTerms {
  readonly accountId: AccountId;
  readonly anchor: Instant;
  readonly credits: MicroCredits;
  readonly rollover: Rollover | null;
  readonly by: string;
}

const terms = ({ accountId, anchor, credits, rollover, by }: QuotaTerms, now: Instant) => [
  accountId,
  formatPostgresTimestamp(anchor),
  credits,
  rollover?.cap ?? null,
  rollover?.months ?? null,
  formatPostgresTimestamp(now),
  by,
];

/** A quota whose first cycle is due at once. An account that has one keeps it: false. */
export async function insertQuota(queryable: Queryable, quota: QuotaTerms, now: Instant): Promise<boolean> {
  const { rowCount } = await queryable.query(
    `insert into quotas (account_id, anchor_at, credits, rollover_cap, rollover_months, next_reset_at, created_at,
       changed_at, changed_by)
     values ($1, $2, $3, $4, $5, $6, $6, $6, $7) on conflict (account_id) do nothing`,
    terms(quota, now),
  );
  return rowCount === 1;
}

/** Other terms from the next cycle on; false where there is no quota with this anchor. */
export async function updateQuota(pool: pg.Pool, quota: QuotaTerms, now: Instant): Promise<boolean> {
  const { rowCount } = await pool.query(
    `update quotas set credits = $3, rollover_cap = $4, rollover_months = $5, changed_at = $6, changed_by = $7
     where account_id = $1 and anchor_at = $2`,
    terms(quota, now),
  );
  return rowCount === 1;
}

export interface StarterGrant {
  readonly accountId: AccountId;
  readonly amount: MicroCredits;
}

export async function insertStarter(
  queryable: Queryable,
  { accountId, amount }: StarterGrant,
  now: Instant,
): Promise<void> {
  await queryable.query("insert into starter_grants (account_id, amount, created_at) values ($1, $2, $3)", [
    accountId,
    amount,
    formatPostgresTimestamp(now),
  ]);
}

/** Starter credits that are not in the ledger yet, the oldest first. */
export async function waitingStarters(pool: pg.Pool, limit: number): Promise<StarterGrant[]> {
  const { rows } = await pool.query<StarterGrant>(
    `select account_id as "accountId", amount from starter_grants order by created_at limit $1`,
    [limit],
  );
  return rows;
}

export async function deleteStarter(pool: pg.Pool, accountId: AccountId): Promise<void> {
  await pool.query("delete from starter_grants where account_id = $1", [accountId]);
}
