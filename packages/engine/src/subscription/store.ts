import type { AccountId } from "@bursar/contract/ids";
import {
  addSeconds,
  formatNullableTimestamp,
  formatPostgresTimestamp,
  type Instant,
} from "@bursar/contract/instant";
import type pg from "pg";
import type { Queryable } from "../mail/store.ts";
import type { Synced } from "./decide.ts";
import type { EndReason, PlanTerms, Subscription, SubscriptionId } from "./subscription.ts";

const COLUMNS = `account_id as "accountId", subscription_id as id, provider_id as "providerId", state, plan_id as "planId",
  renews_as as "renewsAs", currency, method_id as "methodId", return_url as "returnUrl", page_id as "pageId", url,
  period_start as "periodStart", period_end as "periodEnd", cancel_at_period_end as "cancelAtPeriodEnd",
  past_due_since as "pastDueSince", grace_until as "graceUntil", end_reason as "endReason", failure,
  created_at as "createdAt", created_by as "createdBy", ended_at as "endedAt", version`;

export type NewSubscription = Pick<
  Subscription,
  "accountId" | "id" | "providerId" | "planId" | "currency" | "methodId" | "returnUrl" | "createdBy"
>;

/** Whoever begins it is left alone with it for so long. */
const BEGINNING_SECONDS = 60;

/** False when the account has an open one, or the id is taken: the indexes decide, however many ask at once. */
export async function insertSubscription(
  client: Queryable,
  subscription: NewSubscription,
  now: Instant,
): Promise<boolean> {
  const { accountId, id, providerId, planId, currency, methodId, returnUrl, createdBy } = subscription;
  const { rowCount } = await client.query(
    `insert into subscriptions (account_id, subscription_id, state, plan_id, renews_as, currency, method_id,
       return_url, created_at, created_by, due_at, provider_id)
     values ($1, $2, 'starting', $3, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing`,
    [
      accountId,
      id,
      planId,
      currency,
      methodId,
      returnUrl,
      formatPostgresTimestamp(now),
      createdBy,
      formatPostgresTimestamp(addSeconds(now, BEGINNING_SECONDS)),
      providerId,
    ],
  );
  return rowCount === 1;
}

export async function findSubscription(
  queryable: Queryable,
  accountId: AccountId,
  id: SubscriptionId,
): Promise<Subscription | null> {
  const { rows } = await queryable.query<Subscription>(
    `select ${COLUMNS} from subscriptions where account_id = $1 and subscription_id = $2`,
    [accountId, id],
  );
  return rows[0] ?? null;
}

export async function findByProvider(pool: pg.Pool, providerId: string): Promise<Subscription | null> {
  const { rows } = await pool.query<Subscription>(
    `select ${COLUMNS} from subscriptions where provider_id = $1`,
    [providerId],
  );
  return rows[0] ?? null;
}

/** Those of all times, the oldest first. */
export async function subscriptionsOf(pool: pg.Pool, accountId: AccountId): Promise<Subscription[]> {
  const { rows } = await pool.query<Subscription>(
    `select ${COLUMNS} from subscriptions where account_id = $1 order by created_at, subscription_id`,
    [accountId],
  );
  return rows;
}

/** The open one, else the one that began last. */
export async function currentSubscription(pool: pg.Pool, accountId: AccountId): Promise<Subscription | null> {
  const { rows } = await pool.query<Subscription>(
    `select ${COLUMNS} from subscriptions where account_id = $1
     order by (state in ('starting', 'active', 'past_due')) desc, created_at desc, subscription_id desc limit 1`,
    [accountId],
  );
  return rows[0] ?? null;
}

/** Writes what the provider has said, if nothing else became known since the subscription was read; else false. Only what
 *  is news makes what others have read meanwhile too old. */
export async function writeSynced(
  client: Queryable,
  subscription: Subscription,
  next: Synced,
): Promise<boolean> {
  const { dueAt, ...said } = next;
  const isNews = Object.entries(said).some(
    ([name, value]) => value !== subscription[name as keyof typeof said],
  );
  const { rowCount } = await client.query(
    `update subscriptions set provider_id = $4, state = $5, renews_as = $6, period_start = $7, period_end = $8,
       cancel_at_period_end = $9, past_due_since = $10, grace_until = $11, end_reason = $12, ended_at = $13, url = $14,
       due_at = $15, leased_until = null, version = version + $16
     where account_id = $1 and subscription_id = $2 and version = $3`,
    [
      subscription.accountId,
      subscription.id,
      subscription.version,
      next.providerId,
      next.state,
      next.renewsAs,
      formatNullableTimestamp(next.periodStart),
      formatNullableTimestamp(next.periodEnd),
      next.cancelAtPeriodEnd,
      formatNullableTimestamp(next.pastDueSince),
      formatNullableTimestamp(next.graceUntil),
      next.endReason,
      formatNullableTimestamp(next.endedAt),
      next.url,
      formatNullableTimestamp(dueAt),
      isNews ? 1 : 0,
    ],
  );
  return rowCount === 1;
}

/** The page to begin on, while nobody has. */
export async function writePage(
  pool: pg.Pool,
  { accountId, id }: Subscription,
  page: { readonly pageId: string; readonly url: string | null; readonly dueAt: Instant },
): Promise<void> {
  await pool.query(
    `update subscriptions set page_id = $3, url = $4, method_id = null, due_at = $5, leased_until = null,
       version = version + 1
     where account_id = $1 and subscription_id = $2 and state = 'starting'`,
    [accountId, id, page.pageId, page.url, formatPostgresTimestamp(page.dueAt)],
  );
}

/** It never began. Changes nothing where it has. */
export async function markFailed(
  pool: pg.Pool,
  { accountId, id }: Subscription,
  failed: { readonly endReason: EndReason; readonly failure: string; readonly now: Instant },
): Promise<void> {
  await pool.query(
    `update subscriptions set state = 'failed', end_reason = $3, failure = $4, ended_at = $5, url = null,
       due_at = null, leased_until = null, version = version + 1
     where account_id = $1 and subscription_id = $2 and state = 'starting'`,
    [accountId, id, failed.endReason, failed.failure, formatPostgresTimestamp(failed.now)],
  );
}

/** Why it ends is known before the provider says that it has ended. */
export async function markEndReason(
  pool: pg.Pool,
  { accountId, id }: Subscription,
  endReason: EndReason,
): Promise<void> {
  await pool.query(
    `update subscriptions set end_reason = $3, version = version + 1
     where account_id = $1 and subscription_id = $2 and state in ('active', 'past_due')`,
    [accountId, id, endReason],
  );
}

/** Takes the subscriptions that are longest due. Whoever takes one is alone with it until the lease ends. */
export async function takeDue(
  pool: pg.Pool,
  { now, limit, leaseSeconds }: { now: Instant; limit: number; leaseSeconds: number },
): Promise<Subscription[]> {
  const { rows } = await pool.query<Subscription>(
    `with due as (
       select account_id, subscription_id from subscriptions
       where due_at <= $1 and (leased_until is null or leased_until < clock_timestamp())
       order by due_at limit $2 for update skip locked
     ), taken as (
       update subscriptions s set leased_until = clock_timestamp() + make_interval(secs => $3)
       from due where s.account_id = due.account_id and s.subscription_id = due.subscription_id
       returning s.*
     )
     select ${COLUMNS} from taken`,
    [formatPostgresTimestamp(now), limit, leaseSeconds],
  );
  return rows;
}

/** Nothing could be learnt; ask again then. */
export async function putOff(pool: pg.Pool, { accountId, id }: Subscription, dueAt: Instant): Promise<void> {
  await pool.query(
    `update subscriptions set due_at = $3, leased_until = null
     where account_id = $1 and subscription_id = $2 and due_at is not null`,
    [accountId, id, formatPostgresTimestamp(dueAt)],
  );
}

/** The terms as they are when a plan is first chosen; chosen again, it has the same. */
export async function keepTerms(
  client: Queryable,
  { accountId, id }: Pick<Subscription, "accountId" | "id">,
  terms: PlanTerms,
): Promise<void> {
  await client.query(
    `insert into subscription_terms (account_id, subscription_id, plan_id, name, plan_interval, credits, bonus,
       rollover_months, amount)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     on conflict (account_id, subscription_id, plan_id) do nothing`,
    [
      accountId,
      id,
      terms.planId,
      terms.name,
      terms.interval,
      terms.credits,
      terms.bonus,
      terms.rolloverMonths,
      terms.amount,
    ],
  );
}

export async function findTerms(
  queryable: Queryable,
  { accountId, id }: Pick<Subscription, "accountId" | "id">,
  planId: string,
): Promise<PlanTerms | null> {
  const { rows } = await queryable.query<Omit<PlanTerms, "amount"> & { amount: bigint }>(
    `select plan_id as "planId", name, plan_interval as interval, credits, bonus, rollover_months as "rolloverMonths",
       amount
     from subscription_terms where account_id = $1 and subscription_id = $2 and plan_id = $3`,
    [accountId, id, planId],
  );
  const found = rows[0];
  return found === undefined ? null : { ...found, amount: Number(found.amount) };
}
