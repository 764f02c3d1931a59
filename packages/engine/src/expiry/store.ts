import type { AccountId } from "@bursar/contract/ids";
import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type pg from "pg";
import { grantsFromText } from "../ledger/grants-text.ts";
import type { Queryable } from "../mail/store.ts";
import type { ExpiringGrant, Reminder } from "./decide.ts";

/** One portion of a walk over all accounts, by their ids. */
export interface Portion {
  readonly now: Instant;
  readonly before: Instant;
  readonly after: string;
  readonly limit: number;
}

type Row = Omit<ExpiringGrant, "remaining"> & { accountId: AccountId; openGrants: string };

/** The next accounts of the walk that have something to end between now and `before`, in id order. */
export async function accountsOfPortion(
  pool: pg.Pool,
  { now, before, after, limit }: Portion,
): Promise<AccountId[]> {
  const { rows } = await pool.query<{ accountId: AccountId }>(
    `select distinct account_id as "accountId" from grant_expiries
     where expires_at > $1 and expires_at < $2 and account_id > $3 order by 1 limit $4`,
    [formatPostgresTimestamp(now), formatPostgresTimestamp(before), after, limit],
  );
  return rows.map((row) => row.accountId);
}

/** Grants of these accounts that end between now and `before`, by account. A cycle's own credits are left out: they come
 *  again the moment they end. What rolled over does not. */
export async function expiringGrants(
  pool: pg.Pool,
  { now, before }: Pick<Portion, "now" | "before">,
  accountIds: readonly AccountId[],
): Promise<Map<AccountId, ExpiringGrant[]>> {
  const { rows } = await pool.query<Row>(
    `select account_id as "accountId", grant_id as "grantId", g.source, g.allocated_at as "allocatedAt",
       e.expires_at as "expiresAt", a.grants as "openGrants", t.told_days as "toldDays"
     from grant_expiries e join grants g using (account_id, grant_id)
       join accounts a using (account_id) left join expiry_notices t using (account_id, grant_id)
     where account_id = any($3::text[]) and e.expires_at > $1 and e.expires_at < $2
       and not (g.source = 'free' and starts_with(g.grant_id, 'grant_free_'))
     order by account_id`,
    [formatPostgresTimestamp(now), formatPostgresTimestamp(before), accountIds],
  );
  return Map.groupBy(rows.map(withRemaining), (row) => row.accountId);
}

function withRemaining({ openGrants, ...row }: Row): ExpiringGrant & { accountId: AccountId } {
  const open = grantsFromText(openGrants).find((grant) => grant.id === row.grantId);
  return { ...row, remaining: open?.remaining ?? 0n };
}

/** Those of the reminders that nobody has told before: of two processes at once, the second waits for the first and
 *  finds its row. */
export async function claimReminders(
  client: Queryable,
  accountId: AccountId,
  reminders: readonly Reminder[],
): Promise<Reminder[]> {
  const { rows } = await client.query<{ grantId: string }>(
    `insert into expiry_notices as t (account_id, grant_id, told_days, expires_at)
     select $1, v.grant_id, v.days, v.expires_at
     from unnest($2::text[], $3::int2[], $4::timestamptz[]) as v (grant_id, days, expires_at) order by v.grant_id
     on conflict (account_id, grant_id) do update set told_days = excluded.told_days
       where t.told_days > excluded.told_days
     returning grant_id as "grantId"`,
    [
      accountId,
      reminders.map(({ grant }) => grant.grantId),
      reminders.map(({ days }) => days),
      reminders.map(({ grant }) => formatPostgresTimestamp(grant.expiresAt)),
    ],
  );
  const claimed = new Set(rows.map((row) => row.grantId));
  return reminders.filter(({ grant }) => claimed.has(grant.grantId));
}

export async function forgetTold(pool: pg.Pool, before: Instant): Promise<void> {
  await pool.query("delete from expiry_notices where expires_at < $1", [formatPostgresTimestamp(before)]);
}
