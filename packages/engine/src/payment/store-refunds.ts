import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type pg from "pg";
import type { Payment } from "./payment.ts";
import type { DisputeRecord } from "./payments.ts";

type Key = Pick<Payment, "accountId" | "id">;

export interface Refund {
  readonly id: string;
  readonly amount: number;
  readonly credits: MicroCredits;
  readonly failed: boolean;
}

/** The refunds of a payment, in the order they were first seen. Locks the payment: whoever decides about refunds or
 *  disputes of it is alone. */
export async function lockRefunds(client: pg.PoolClient, { accountId, id }: Key): Promise<Refund[]> {
  await client.query("select from payments where account_id = $1 and payment_id = $2 for update", [
    accountId,
    id,
  ]);
  const { rows } = await client.query<Omit<Refund, "amount"> & { amount: bigint }>(
    `select refund_id as id, amount, credits, failed from payment_refunds
     where account_id = $1 and payment_id = $2 order by at, refund_id`,
    [accountId, id],
  );
  return rows.map((row) => ({ ...row, amount: Number(row.amount) }));
}

/** The same for showing, with when each was first seen. */
export async function readRefunds(
  pool: pg.Pool,
  { accountId, id }: Key,
): Promise<(Refund & { readonly at: Instant })[]> {
  const { rows } = await pool.query<Omit<Refund, "amount"> & { amount: bigint; at: Instant }>(
    `select refund_id as id, amount, credits, failed, at from payment_refunds
     where account_id = $1 and payment_id = $2 order by at, refund_id`,
    [accountId, id],
  );
  return rows.map((row) => ({ ...row, amount: Number(row.amount) }));
}

export async function insertRefund(
  client: pg.PoolClient,
  { accountId, id }: Key,
  refund: Refund,
  now: Instant,
): Promise<void> {
  await client.query(
    `insert into payment_refunds (account_id, payment_id, refund_id, amount, credits, at)
     values ($1, $2, $3, $4, $5, $6)`,
    [accountId, id, refund.id, refund.amount, refund.credits, formatPostgresTimestamp(now)],
  );
}

export async function markRefundFailed(
  client: pg.PoolClient,
  { accountId, id }: Key,
  refundId: string,
): Promise<void> {
  await client.query(
    "update payment_refunds set failed = true where account_id = $1 and payment_id = $2 and refund_id = $3",
    [accountId, id, refundId],
  );
}

export interface Dispute {
  readonly id: string;
  readonly state: DisputeRecord["state"];
  readonly holdId: string | null;
}

export async function readDisputes(client: pg.PoolClient, { accountId, id }: Key): Promise<Dispute[]> {
  const { rows } = await client.query<Dispute>(
    `select dispute_id as id, state, hold_id as "holdId" from payment_disputes
     where account_id = $1 and payment_id = $2`,
    [accountId, id],
  );
  return rows;
}

/** False when it is known already. */
export async function insertDispute(
  client: pg.PoolClient,
  { accountId, id }: Key,
  dispute: { readonly id: string; readonly amount: number; readonly holdId: string | null },
  now: Instant,
): Promise<void> {
  await client.query(
    `insert into payment_disputes (account_id, payment_id, dispute_id, state, amount, hold_id, opened_at)
     values ($1, $2, $3, 'open', $4, $5, $6)`,
    [accountId, id, dispute.id, dispute.amount, dispute.holdId, formatPostgresTimestamp(now)],
  );
}

/** False when somebody else has closed it. */
export async function closeDispute(
  client: pg.PoolClient,
  { accountId, id }: Key,
  { disputeId, state, now }: { disputeId: string; state: "won" | "lost"; now: Instant },
): Promise<boolean> {
  const { rowCount } = await client.query(
    `update payment_disputes set state = $4, closed_at = $5
     where account_id = $1 and payment_id = $2 and dispute_id = $3 and state = 'open'`,
    [accountId, id, disputeId, state, formatPostgresTimestamp(now)],
  );
  return rowCount === 1;
}

/** What was paid back, and whether a dispute is open: for showing a payment. */
export async function readAftermath(
  pool: pg.Pool,
  accountId: string,
  ids: readonly string[],
): Promise<Map<string, { refunded: number; isDisputed: boolean }>> {
  const { rows } = await pool.query<{ id: string; refunded: bigint; disputed: boolean }>(
    `select p.id,
       coalesce((select sum(amount) from payment_refunds r
         where r.account_id = $1 and r.payment_id = p.id and not failed), 0)::int8 as refunded,
       exists (select from payment_disputes d
         where d.account_id = $1 and d.payment_id = p.id and state = 'open') as disputed
     from unnest($2::text[]) as p (id)`,
    [accountId, ids],
  );
  return new Map(
    rows.map(({ id, refunded, disputed }) => [id, { refunded: Number(refunded), isDisputed: disputed }]),
  );
}
