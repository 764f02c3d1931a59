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
     returning creation_id as "creationId", customer_id as "customerId"`,
    [accountId, creationId, formatPostgresTimestamp(now)],
  );
  return rows[0]!;
}

export async function keepCustomer(
  pool: pg.Pool,
  accountId: AccountId,
  creationId: string,
  customerId: string,
): Promise<void> {
  await pool.query(
    "update payment_customers set customer_id = $3 where account_id = $1 and creation_id = $2",
    [accountId, creationId, customerId],
  );
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
