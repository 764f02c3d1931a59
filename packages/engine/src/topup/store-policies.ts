import type { Currency } from "@bursar/contract/fiat";
import { type AccountId, newOperationId } from "@bursar/contract/ids";
import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type pg from "pg";
import type { Queryable } from "../payment/store.ts";
import type { TopUpRule } from "./decide.ts";

/** A policy as it is kept; its rule is null where it was never filled in. */
export interface TopUpPolicy {
  readonly accountId: AccountId;
  readonly enabled: boolean;
  readonly rule: TopUpRule | null;
  readonly disabledReason: string | null;
  readonly isSuspended: boolean;
  readonly updatedAt: Instant;
  readonly updatedBy: string;
  readonly reason: string | null;
}

interface Row {
  accountId: AccountId;
  enabled: boolean;
  mode: TopUpRule["mode"] | null;
  threshold: MicroCredits | null;
  credits: MicroCredits | null;
  currency: Currency | null;
  dailyCap: bigint | null;
  monthlyCap: bigint | null;
  cooldownSeconds: number;
  disabledReason: string | null;
  isSuspended: boolean;
  updatedAt: Instant;
  updatedBy: string;
  reason: string | null;
}

/** While a dispute is open, what it froze is not free again, or unused credits are on their way back, what is missing is
 *  not to be bought. */
const suspensionOf = (policies: string) => `(
  exists (select from payment_disputes d where d.account_id = ${policies}.account_id and d.state = 'open')
  or exists (select from subscription_reversals r
    where r.account_id = ${policies}.account_id and r.state = 'open')
  or exists (select from holds h
    where h.account_id = ${policies}.account_id and starts_with(h.hold_id, 'hold_dispute_'))
  or exists (select from payment_refund_requests q
    where q.account_id = ${policies}.account_id and q.kind = 'unused' and q.state = 'wanted'))`;

const COLUMNS = `account_id as "accountId", enabled, mode, threshold, credits, currency, daily_cap as "dailyCap",
  monthly_cap as "monthlyCap", cooldown_seconds as "cooldownSeconds", disabled_reason as "disabledReason",
  ${suspensionOf("topup_policies")} as "isSuspended", updated_at as "updatedAt", updated_by as "updatedBy", reason`;

function toPolicy(row: Row): TopUpPolicy {
  const { mode, threshold, credits, currency, dailyCap, monthlyCap, cooldownSeconds, ...rest } = row;
  const isWhole = mode !== null && threshold !== null && credits !== null && currency !== null;
  const rule = isWhole
    ? {
        ...{ mode, threshold, credits, currency, cooldownSeconds },
        dailyCap: Number(dailyCap),
        monthlyCap: Number(monthlyCap),
      }
    : null;
  return { ...rest, rule };
}

export async function readPolicy(queryable: Queryable, accountId: AccountId): Promise<TopUpPolicy | null> {
  const { rows } = await queryable.query<Row>(`select ${COLUMNS} from topup_policies where account_id = $1`, [
    accountId,
  ]);
  return rows[0] === undefined ? null : toPolicy(rows[0]);
}

/** Below which net balance the account buys by itself; null: it does not. */
export async function readTopUpBelow(pool: pg.Pool, accountId: AccountId): Promise<MicroCredits | null> {
  const policy = await readPolicy(pool, accountId);
  const isOn = policy?.enabled === true && !policy.isSuspended;
  return isOn ? (policy.rule?.threshold ?? null) : null;
}

/** The same, and alone until the transaction ends: attempts of one account are decided one after another. */
export async function lockPolicy(client: pg.PoolClient, accountId: AccountId): Promise<TopUpPolicy | null> {
  const { rows } = await client.query<Row>(
    `select ${COLUMNS} from topup_policies where account_id = $1 for update`,
    [accountId],
  );
  return rows[0] === undefined ? null : toPolicy(rows[0]);
}

export interface PolicyChange {
  readonly accountId: AccountId;
  readonly enabled: boolean;
  /** null leaves the fields as they are. */
  readonly rule: TopUpRule | null;
  readonly by: string;
  readonly reason: string | null;
  readonly changeId: string;
  readonly now: Instant;
}

/** Sets the policy, tells the ledger from where on to report, and keeps the version. False: no such account. */
export async function writePolicy(client: pg.PoolClient, change: PolicyChange): Promise<boolean> {
  const { accountId, enabled, rule, by, reason, now } = change;
  const known = await client.query("select from accounts where account_id = $1", [accountId]);
  if (known.rowCount === 0) return false;
  const values = [
    rule?.mode ?? null,
    rule?.threshold ?? null,
    rule?.credits ?? null,
    rule?.currency ?? null,
    rule?.dailyCap ?? null,
    rule?.monthlyCap ?? null,
    rule?.cooldownSeconds ?? null,
  ];
  await client.query(
    `insert into topup_policies (account_id, enabled, mode, threshold, credits, currency, daily_cap, monthly_cap,
       cooldown_seconds, updated_at, updated_by, reason)
     values ($1, $2, $3, $4, $5, $6, $7, $8, coalesce($9::int4, 3600), $10, $11, $12)
     on conflict (account_id) do update set enabled = excluded.enabled, disabled_reason = null, check_at = null,
       mode = coalesce(excluded.mode, topup_policies.mode),
       threshold = coalesce(excluded.threshold, topup_policies.threshold),
       credits = coalesce(excluded.credits, topup_policies.credits),
       currency = coalesce(excluded.currency, topup_policies.currency),
       daily_cap = coalesce(excluded.daily_cap, topup_policies.daily_cap),
       monthly_cap = coalesce(excluded.monthly_cap, topup_policies.monthly_cap),
       cooldown_seconds = coalesce($9::int4, topup_policies.cooldown_seconds),
       updated_at = excluded.updated_at, updated_by = excluded.updated_by, reason = excluded.reason`,
    [accountId, enabled, ...values, formatPostgresTimestamp(now), by, reason],
  );
  await setReport(client, accountId);
  await keepVersion(client, change);
  return true;
}

/** The ledger reports a balance that falls below an enabled policy's threshold, in the commit that brings it there. */
async function setReport(client: Queryable, accountId: AccountId): Promise<void> {
  await client.query(
    `update accounts a set topup_below = case when p.enabled then p.threshold end
     from topup_policies p where a.account_id = $1 and p.account_id = $1`,
    [accountId],
  );
}

/** Switched off by what happened and not by its owner: nothing is tried until somebody switches it on again. */
export async function disableTopUp(
  client: Queryable,
  accountId: AccountId,
  reason: string,
  now: Instant,
): Promise<void> {
  const { rowCount } = await client.query(
    `update topup_policies set enabled = false, disabled_reason = $2, updated_at = $3, updated_by = 'system:payments'
     where account_id = $1 and enabled`,
    [accountId, reason, formatPostgresTimestamp(now)],
  );
  if (rowCount === 0) return;
  await setReport(client, accountId);
  await keepVersion(client, { accountId, changeId: newOperationId(), now, by: "system:payments", reason });
}

/** Every version of every policy, with who and why. */
async function keepVersion(
  client: Queryable,
  version: Pick<PolicyChange, "accountId" | "changeId" | "now" | "by" | "reason">,
): Promise<void> {
  const { accountId, changeId, now, by, reason } = version;
  await client.query(
    `insert into topup_policy_changes (account_id, change_id, policy, at, by, reason)
     select account_id, $2, row_to_json(p), $3, $4, $5 from topup_policies p where account_id = $1`,
    [accountId, changeId, formatPostgresTimestamp(now), by, reason],
  );
}

export interface PolicyVersion {
  readonly at: Instant;
  readonly by: string;
  readonly reason: string | null;
  readonly enabled: boolean;
}

/** Who has changed the account's policy and why, the oldest first. */
export async function policyVersions(pool: pg.Pool, accountId: AccountId): Promise<PolicyVersion[]> {
  const { rows } = await pool.query<PolicyVersion>(
    `select at, by, reason, (policy ->> 'enabled')::boolean as enabled from topup_policy_changes
     where account_id = $1 order by at, change_id`,
    [accountId],
  );
  return rows;
}

/** What kept it from buying is over: the sweep looks again. */
export async function lookAgain(client: Queryable, accountId: AccountId): Promise<void> {
  await client.query("update topup_policies set check_at = null where account_id = $1", [accountId]);
}

/** Enabled policies whose account is below the threshold and that may be able to do something about it now. */
export async function policiesInNeed(
  pool: pg.Pool,
  { now, limit }: { now: Instant; limit: number },
): Promise<AccountId[]> {
  const { rows } = await pool.query<{ id: AccountId }>(
    `select p.account_id as id from topup_policies p join accounts a using (account_id)
     where p.enabled and not a.frozen and (p.check_at is null or p.check_at <= $1)
       and a.available - a.owed < p.threshold
       and not ${suspensionOf("p")}
     order by p.check_at nulls first, p.account_id limit $2`,
    [formatPostgresTimestamp(now), limit],
  );
  return rows.map(({ id }) => id);
}

/** Nothing can be bought before this. */
export async function checkNotBefore(pool: pg.Pool, accountId: AccountId, at: Instant): Promise<void> {
  await pool.query(
    "update topup_policies set check_at = $2 where account_id = $1 and (check_at is null or check_at < $2)",
    [accountId, formatPostgresTimestamp(at)],
  );
}

export interface WantedEffect {
  readonly accountId: AccountId;
  readonly effectId: string;
}

/** What the ledger's commits have reported, oldest first. The rows stay until the need is seen to. */
export async function wantedEffects(pool: pg.Pool, limit: number): Promise<WantedEffect[]> {
  const { rows } = await pool.query<WantedEffect>(
    `select account_id as "accountId", effect_id as "effectId" from effects
     where kind = 'topup_wanted' order by at limit $1`,
    [limit],
  );
  return rows;
}

export async function forgetEffects(pool: pg.Pool, effects: readonly WantedEffect[]): Promise<void> {
  await pool.query(
    `delete from effects e using unnest($1::text[], $2::text[]) as done (account_id, effect_id)
     where e.account_id = done.account_id and e.effect_id = done.effect_id`,
    [effects.map(({ accountId }) => accountId), effects.map(({ effectId }) => effectId)],
  );
}
