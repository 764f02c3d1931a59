import type { PaymentId } from "@bursar/contract/ids";
import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type pg from "pg";
import type { Payment } from "./payment.ts";
import type { PaymentFailure } from "./payments.ts";
import type { NewRefundRequest, RefundRequest } from "./refund-request.ts";
import type { Queryable } from "./store.ts";

interface Row extends Omit<RefundRequest, "amount" | "failure"> {
  amount: bigint | null;
  failureCode: string | null;
  failureMessage: string | null;
}

const COLUMNS = `account_id as "accountId", payment_id as "paymentId", request_id as id, kind, state, asked, amount,
  hold_id as "holdId", failure_code as "failureCode", failure_message as "failureMessage", by, reason,
  created_at as "createdAt", tries`;

function toRequest({ amount, failureCode, failureMessage, ...row }: Row): RefundRequest {
  const failure = failureCode === null ? null : { code: failureCode, message: failureMessage ?? "" };
  return { ...row, amount: amount === null ? null : Number(amount), failure };
}

type Key = Pick<RefundRequest, "accountId" | "paymentId" | "id">;

/** Writes a request down before the provider is asked; it is leased to the caller, who carries it on. */
export async function insertRequest(
  client: pg.PoolClient,
  request: NewRefundRequest,
  leaseSeconds: number,
): Promise<void> {
  const { accountId, paymentId, id, kind, asked, amount, holdId, by, reason, createdAt } = request;
  const at = formatPostgresTimestamp(createdAt);
  await client.query(
    `insert into payment_refund_requests (account_id, payment_id, request_id, kind, state, asked, amount, hold_id, by,
       reason, created_at, due_at, leased_until)
     values ($1, $2, $3, $4, 'wanted', $5, $6, $7, $8, $9, $10, $10,
       clock_timestamp() + make_interval(secs => $11))`,
    [accountId, paymentId, id, kind, asked, amount, holdId, by, reason, at, leaseSeconds],
  );
}

/** By its id, or by another one under which the same was asked for. */
export async function readRequest(
  queryable: Queryable,
  { accountId, paymentId, id }: Key,
): Promise<RefundRequest | null> {
  const { rows } = await queryable.query<Row>(
    `select ${COLUMNS} from payment_refund_requests
     where account_id = $1 and payment_id = $2 and request_id = coalesce((
       select same_as from payment_refund_aliases where account_id = $1 and payment_id = $2 and request_id = $3), $3)`,
    [accountId, paymentId, id],
  );
  return rows[0] === undefined ? null : toRequest(rows[0]);
}

/** From now on this id names a request that was asked for under another one. */
export async function keepAlias(
  client: pg.PoolClient,
  { accountId, paymentId, id }: Key,
  sameAs: string,
): Promise<void> {
  await client.query(
    `insert into payment_refund_aliases (account_id, payment_id, request_id, same_as) values ($1, $2, $3, $4)
     on conflict do nothing`,
    [accountId, paymentId, id, sameAs],
  );
}

/** Whether the refund that answers a request has been seen. */
export async function isMade(pool: pg.Pool, { accountId, paymentId, id }: Key): Promise<boolean> {
  const { rowCount } = await pool.query(
    "select from payment_refunds where account_id = $1 and payment_id = $2 and request_id = $3",
    [accountId, paymentId, id],
  );
  return rowCount !== 0;
}

/** A request that was given up, and whose refund is found after all, is done. */
export async function reviveRequest(client: pg.PoolClient, { accountId, paymentId, id }: Key): Promise<void> {
  await client.query(
    `update payment_refund_requests set state = 'done', failure_code = null, failure_message = null
     where account_id = $1 and payment_id = $2 and request_id = $3 and state = 'refused'`,
    [accountId, paymentId, id],
  );
}

/** The request to give unused credits back that is under way. */
export async function openUnused(
  client: pg.PoolClient,
  { accountId, id }: Pick<Payment, "accountId" | "id">,
): Promise<RefundRequest | null> {
  const { rows } = await client.query<Row>(
    `select ${COLUMNS} from payment_refund_requests
     where account_id = $1 and payment_id = $2 and kind = 'unused' and state = 'wanted' limit 1`,
    [accountId, id],
  );
  return rows[0] === undefined ? null : toRequest(rows[0]);
}

/** What is wanted back and not yet among the refunds that were seen, in the currency's minor unit. */
export async function amountUnderWay(
  client: pg.PoolClient,
  { accountId, id }: Pick<Payment, "accountId" | "id">,
): Promise<number> {
  const { rows } = await client.query<{ amount: bigint }>(
    `select coalesce(sum(q.amount), 0)::int8 as amount from payment_refund_requests q
     where q.account_id = $1 and q.payment_id = $2 and q.state = 'wanted' and not exists (
       select from payment_refunds r
       where r.account_id = $1 and r.payment_id = $2 and r.request_id = q.request_id)`,
    [accountId, id],
  );
  return Number(rows[0]!.amount);
}

/** How much the unused credits are worth: decided once. */
export async function setAmount(pool: pg.Pool, request: Key, amount: number): Promise<void> {
  const { accountId, paymentId, id } = request;
  await pool.query(
    `update payment_refund_requests set amount = coalesce(amount, $4)
     where account_id = $1 and payment_id = $2 and request_id = $3`,
    [accountId, paymentId, id, amount],
  );
}

/** Ends a request that is still wanted; one that has ended stays as it is. */
export async function endRequest(
  pool: pg.Pool,
  { accountId, paymentId, id }: Key,
  end: { readonly state: "done" | "refused"; readonly failure: PaymentFailure | null; readonly now: Instant },
): Promise<void> {
  await pool.query(
    `update payment_refund_requests set state = $4, failure_code = $5, failure_message = $6, ended_at = $7,
       due_at = null, leased_until = null
     where account_id = $1 and payment_id = $2 and request_id = $3 and state = 'wanted'`,
    [
      accountId,
      paymentId,
      id,
      end.state,
      end.failure?.code ?? null,
      end.failure?.message ?? null,
      formatPostgresTimestamp(end.now),
    ],
  );
}

/** Puts a request off to a later try. */
export async function putOffRequest(
  pool: pg.Pool,
  { accountId, paymentId, id }: Key,
  dueAt: Instant,
): Promise<void> {
  await pool.query(
    `update payment_refund_requests set due_at = $4, tries = tries + 1, leased_until = null
     where account_id = $1 and payment_id = $2 and request_id = $3 and state = 'wanted'`,
    [accountId, paymentId satisfies PaymentId, id, formatPostgresTimestamp(dueAt)],
  );
}

/** Takes requests that are due, each for one process alone until the lease ends. */
export async function takeDueRequests(
  pool: pg.Pool,
  { now, limit, leaseSeconds }: { now: Instant; limit: number; leaseSeconds: number },
): Promise<RefundRequest[]> {
  const { rows } = await pool.query<Row>(
    `update payment_refund_requests set leased_until = clock_timestamp() + make_interval(secs => $3)
     where (account_id, payment_id, request_id) in (
       select account_id, payment_id, request_id from payment_refund_requests
       where due_at <= $1 and (leased_until is null or leased_until < clock_timestamp())
       order by due_at limit $2 for update skip locked
     )
     returning ${COLUMNS}`,
    [formatPostgresTimestamp(now), limit, leaseSeconds],
  );
  return rows.map(toRequest);
}
