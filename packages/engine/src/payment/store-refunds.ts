import type { AccountId, HoldId, PaymentId } from "@bursar/contract/ids";
import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type pg from "pg";
import type { Payment } from "./payment.ts";
import type { DisputeRecord } from "./payments.ts";
import type { Queryable } from "./store.ts";
import {
  type Draws,
  drawsFromJson,
  drawsToJson,
  sumOf,
  type Taken,
  type TakenRefund,
  wonGrantIdOf,
} from "./taken.ts";

type Key = Pick<Payment, "accountId" | "id">;

export interface Refund extends TakenRefund {
  readonly amount: number;
  readonly by: string | null;
  readonly reason: string | null;
  /** What it is the answer to, and the credits that are held for that. */
  readonly requestId: string | null;
  readonly holdId: HoldId | null;
}

/** Whoever decides about refunds or disputes of a payment is alone until the transaction ends. */
export async function lockPayment(client: pg.PoolClient, { accountId, id }: Key): Promise<void> {
  await client.query("select from payments where account_id = $1 and payment_id = $2 for update", [
    accountId,
    id,
  ]);
}

type Stored = readonly (readonly [string, string])[];
type RefundRow = Omit<Refund, "amount" | "draws"> & { amount: bigint; draws: Stored; at: Instant };

const COLUMNS = `refund_id as id, amount, credits, failed, draws, at, by, reason, request_id as "requestId",
  (select hold_id from payment_refund_requests q where q.account_id = payment_refunds.account_id
    and q.payment_id = payment_refunds.payment_id and q.request_id = payment_refunds.request_id) as "holdId"`;

const REFUNDS = `select ${COLUMNS} from payment_refunds
  where account_id = $1 and payment_id = $2 order by at, refund_id`;

const toRefund = ({ amount, draws, ...row }: RefundRow) => ({
  ...row,
  amount: Number(amount),
  draws: drawsFromJson(draws),
});

/** What refunds and lost disputes have taken of a payment's credits, in the order they were first seen. */
export async function readTaken(
  queryable: Queryable,
  { accountId, id }: Key,
): Promise<Required<Omit<Taken, "refunds">> & { readonly refunds: readonly Refund[] }> {
  const refunds = await queryable.query<RefundRow>(REFUNDS, [accountId, id]);
  const disputes = await readDisputes(queryable, { accountId, id });
  return {
    refunds: refunds.rows.map(toRefund),
    disputes: disputes.flatMap(({ draws }) => (draws === null ? [] : [draws])),
    won: wonAgain(disputes),
  };
}

/** What comes again of disputes that were lost, and won on appeal. */
export function wonAgain(disputes: readonly Dispute[]): Draws {
  return disputes.flatMap(({ id, state, draws }): Draws => {
    return state === "won" && draws !== null ? [[wonGrantIdOf(id), sumOf(draws)]] : [];
  });
}

/** The same for showing, with when each was first seen. */
export async function readRefunds(
  pool: pg.Pool,
  { accountId, id }: Key,
): Promise<(Refund & { readonly at: Instant })[]> {
  const { rows } = await pool.query<RefundRow>(REFUNDS, [accountId, id]);
  return rows.map(toRefund);
}

export async function insertRefund(
  client: pg.PoolClient,
  { accountId, id }: Key,
  refund: Omit<Refund, "holdId">,
  now: Instant,
): Promise<void> {
  await client.query(
    `insert into payment_refunds (account_id, payment_id, refund_id, amount, credits, at, draws, by, reason,
       request_id)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      accountId,
      id,
      refund.id,
      refund.amount,
      refund.credits,
      formatPostgresTimestamp(now),
      drawsToJson(refund.draws),
      refund.by,
      refund.reason,
      refund.requestId,
    ],
  );
}

/** With what it takes besides what was decided at first. */
export async function keepRefundDraws(
  client: pg.PoolClient,
  { accountId, id }: Key,
  refundId: string,
  draws: Draws,
): Promise<void> {
  await client.query(
    `update payment_refunds set draws = $4, credits = $5
     where account_id = $1 and payment_id = $2 and refund_id = $3 and not failed`,
    [accountId, id, refundId, drawsToJson(draws), sumOf(draws)],
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

/** One round of a dispute. */
export interface Dispute {
  readonly id: string;
  /** In the currency's minor unit. */
  readonly amount: number;
  /** won, with draws: they were taken, and are given again. */
  readonly state: DisputeRecord["state"];
  /** null: nothing has been taken for it. */
  readonly draws: Draws | null;
}

export async function readDisputes(queryable: Queryable, { accountId, id }: Key): Promise<Dispute[]> {
  type DisputeRow = Omit<Dispute, "amount" | "draws"> & { amount: bigint; draws: Stored | null };
  const { rows } = await queryable.query<DisputeRow>(
    `select dispute_id as id, amount, state, draws from payment_disputes
     where account_id = $1 and payment_id = $2 order by opened_at, dispute_id`,
    [accountId, id],
  );
  return rows.map(({ amount, draws, ...row }) => {
    return { ...row, amount: Number(amount), draws: draws === null ? null : drawsFromJson(draws) };
  });
}

/** It stays open until they are taken, so that no top-up buys them. */
export async function keepDisputeDraws(
  client: pg.PoolClient,
  { accountId, id }: Key,
  disputeId: string,
  draws: Draws,
): Promise<void> {
  await client.query(
    "update payment_disputes set draws = $4 where account_id = $1 and payment_id = $2 and dispute_id = $3",
    [accountId, id, disputeId, drawsToJson(draws)],
  );
}

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

/** False when it is not any more as it was known: somebody else has closed it, or has decided what it takes. */
export async function closeDispute(
  client: pg.PoolClient,
  { accountId, id }: Key,
  known: Dispute,
  { state, now }: { readonly state: "won" | "lost"; readonly now: Instant },
): Promise<boolean> {
  const { rowCount } = await client.query(
    `update payment_disputes set state = $6, closed_at = $7
     where account_id = $1 and payment_id = $2 and dispute_id = $3 and state = $4 and (draws is null) = $5`,
    [accountId, id, known.id, known.state, known.draws === null, state, formatPostgresTimestamp(now)],
  );
  return rowCount === 1;
}

/** The open holds of a dispute or of credits that are given back, by how their ids begin. */
export async function openHolds(
  queryable: Queryable,
  accountId: AccountId,
  start: string,
): Promise<{ id: HoldId; amount: MicroCredits }[]> {
  const { rows } = await queryable.query<{ id: HoldId; amount: MicroCredits }>(
    `select hold_id as id, amount from holds
     where account_id = $1 and (hold_id = $2 or starts_with(hold_id, $2 || ':')) order by hold_id`,
    [accountId, start],
  );
  return rows;
}

interface DisputeToFreeze extends Pick<DisputeRecord, "id" | "amount"> {
  readonly accountId: AccountId;
  readonly paymentId: PaymentId;
}

/** Open disputes whose purchase has credits that are free. */
export async function disputesToFreeze(pool: pg.Pool): Promise<DisputeToFreeze[]> {
  const { rows } = await pool.query<Omit<DisputeToFreeze, "amount"> & { amount: bigint }>(
    `select d.account_id as "accountId", d.payment_id as "paymentId", d.dispute_id as id, d.amount
     from payment_disputes d join payments p using (account_id, payment_id) join accounts a using (account_id)
     where d.state = 'open' and p.state in ('granted', 'confirmed') and exists (
       select from (select p.grant_id as id union all
         select 'grant_refund_failed_' || r.refund_id from payment_refunds r
         where r.account_id = d.account_id and r.payment_id = d.payment_id and r.failed union all
         select 'grant_dispute_won_' || w.dispute_id from payment_disputes w
         where w.account_id = d.account_id and w.payment_id = d.payment_id and w.state = 'won'
           and w.draws is not null) given
       where split_part(split_part(';' || a.grants, ';' || given.id || ' ', 2), ' ', 2) not in ('', '0'))
     order by d.opened_at, d.dispute_id limit 500`,
  );
  return rows.map((row) => ({ ...row, amount: Number(row.amount) }));
}

/** Disputes that were closed since then, and of which something is frozen still. */
export async function disputesToRelease(
  pool: pg.Pool,
  since: Instant,
): Promise<Omit<DisputeToFreeze, "amount">[]> {
  const { rows } = await pool.query<Omit<DisputeToFreeze, "amount">>(
    `select d.account_id as "accountId", d.payment_id as "paymentId", d.dispute_id as id
     from payment_disputes d
     where d.state <> 'open' and d.closed_at >= $1 and exists (
       select from holds h where h.account_id = d.account_id
         and (h.hold_id = 'hold_dispute_' || d.dispute_id
           or starts_with(h.hold_id, 'hold_dispute_' || d.dispute_id || ':')))
     order by d.closed_at limit 500`,
    [formatPostgresTimestamp(since)],
  );
  return rows;
}

/** What was paid back, and whether a dispute is open: for showing payments. */
export async function readAftermath(
  pool: pg.Pool,
  accountId: string,
  ids: readonly string[],
): Promise<Map<string, { refunds: (Refund & { readonly at: Instant })[]; isDisputed: boolean }>> {
  const refunds = await pool.query<RefundRow & { paymentId: string }>(
    `select payment_id as "paymentId", ${COLUMNS} from payment_refunds where account_id = $1 and payment_id = any($2) order by at, refund_id`,
    [accountId, ids],
  );
  const disputed = await pool.query<{ id: string }>(
    `select payment_id as id from payment_disputes
     where account_id = $1 and payment_id = any($2) and state = 'open'`,
    [accountId, ids],
  );
  const isDisputed = new Set(disputed.rows.map(({ id }) => id));
  return new Map(
    ids.map((id) => {
      const own = refunds.rows.filter(({ paymentId }) => paymentId === id).map(toRefund);
      return [id, { refunds: own, isDisputed: isDisputed.has(id) }];
    }),
  );
}
