import type { AccountId } from "@bursar/contract/ids";
import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type pg from "pg";

export async function readCustomer(pool: pg.Pool, accountId: AccountId): Promise<string | null> {
  const { rows } = await pool.query<{ id: string }>(
    "select customer_id as id from payment_customers where account_id = $1",
    [accountId],
  );
  return rows[0]?.id ?? null;
}

/** The account's name; null where there is no such account. */
export async function readAccountName(pool: pg.Pool, accountId: AccountId): Promise<string | null> {
  const { rows } = await pool.query<{ name: string }>("select name from accounts where account_id = $1", [
    accountId,
  ]);
  return rows[0]?.name ?? null;
}

export interface CustomerRow {
  readonly creationId: string;
  /** null until the provider has answered. */
  readonly customerId: string | null;
  readonly createdAt: Instant;
}

/** Decides under which id the customer is made, before it is made; the first of several at once decides. */
export async function beginCustomer(
  pool: pg.Pool,
  accountId: AccountId,
  creationId: string,
  now: Instant,
): Promise<CustomerRow> {
  const { rows } = await pool.query<CustomerRow>(
    `insert into payment_customers (account_id, creation_id, created_at) values ($1, $2, $3)
     on conflict (account_id) do update set creation_id = payment_customers.creation_id
     returning creation_id as "creationId", customer_id as "customerId", created_at as "createdAt"`,
    [accountId, creationId, formatPostgresTimestamp(now)],
  );
  return rows[0]!;
}

/** The next try is under another id. */
export async function renewCustomer(
  pool: pg.Pool,
  accountId: AccountId,
  creationId: string,
  newId: string,
): Promise<void> {
  await pool.query(
    `update payment_customers set creation_id = $3
     where account_id = $1 and creation_id = $2 and customer_id is null`,
    [accountId, creationId, newId],
  );
}

/** Returns the account's customer: of several that were made, the one that was kept first. */
export async function keepCustomer(pool: pg.Pool, accountId: AccountId, customerId: string): Promise<string> {
  await pool.query(
    "update payment_customers set customer_id = $2 where account_id = $1 and customer_id is null",
    [accountId, customerId],
  );
  return (await readCustomer(pool, accountId)) ?? customerId;
}

/** The provider has deleted it; the next need makes a new one. */
export async function forgetCustomer(pool: pg.Pool, customerId: string): Promise<void> {
  await pool.query("delete from payment_customers where customer_id = $1", [customerId]);
}

export async function accountOfCustomer(pool: pg.Pool, customerId: string): Promise<AccountId | null> {
  const { rows } = await pool.query<{ id: AccountId }>(
    "select account_id as id from payment_customers where customer_id = $1",
    [customerId],
  );
  return rows[0]?.id ?? null;
}

/** Under which id the account's page to enter a method is made: the same as before where that has had no answer. */
export async function beginSetupPage(
  pool: pg.Pool,
  page: {
    readonly accountId: AccountId;
    readonly customerId: string;
    readonly returnUrl: string;
    readonly pageId: string;
  },
  now: Instant,
): Promise<string> {
  const { rows } = await pool.query<{ id: string }>(
    `insert into payment_setup_pages as p (account_id, page_id, customer_id, return_url, created_at)
     values ($1, $2, $3, $4, $5)
     on conflict (account_id) do update set page_id = excluded.page_id, customer_id = excluded.customer_id,
       return_url = excluded.return_url, url = null, created_at = excluded.created_at
     where p.url is not null or p.customer_id <> excluded.customer_id or p.return_url <> excluded.return_url
       or p.created_at < excluded.created_at - interval '20 hours'
     returning page_id as id`,
    [page.accountId, page.pageId, page.customerId, page.returnUrl, formatPostgresTimestamp(now)],
  );
  if (rows[0] !== undefined) return rows[0].id;
  const before = await pool.query<{ id: string }>(
    "select page_id as id from payment_setup_pages where account_id = $1",
    [page.accountId],
  );
  return before.rows[0]!.id;
}

/** The next try to make it is under another id. */
export async function renewSetupPage(
  pool: pg.Pool,
  accountId: AccountId,
  pageId: string,
  newId: string,
): Promise<void> {
  await pool.query(
    "update payment_setup_pages set page_id = $3 where account_id = $1 and page_id = $2 and url is null",
    [accountId, pageId, newId],
  );
}

/** The page has been answered: the next one is another. */
export async function keepSetupPage(
  pool: pg.Pool,
  accountId: AccountId,
  pageId: string,
  url: string,
): Promise<void> {
  await pool.query("update payment_setup_pages set url = $3 where account_id = $1 and page_id = $2", [
    accountId,
    pageId,
    url,
  ]);
}
