import type { Currency } from "@bursar/contract/fiat";
import type { AccountId, PaymentId } from "@bursar/contract/ids";
import { formatNullableTimestamp, formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type pg from "pg";
import type { NewPayment, Payment, PaymentState } from "./payment.ts";
import type { PaymentFailure } from "./payments.ts";

/** The pool, or a connection with the caller's transaction on it. */
export type Queryable = Pick<pg.Pool | pg.PoolClient, "query">;

interface Row extends Omit<Payment, "amount" | "failure"> {
  amount: bigint;
  failureCode: string | null;
  failureMessage: string | null;
}

const COLUMNS = `account_id as "accountId", payment_id as id, kind, method, state, credits, amount, currency,
  grant_id as "grantId", asked, link, payment_method_id as "paymentMethodId", intent_id as "intentId",
  checkout_id as "checkoutId", url, return_url as "returnUrl", failure_code as "failureCode",
  failure_message as "failureMessage", net_before as "netBefore", threshold, by, request_id as "requestId",
  created_at as "createdAt", charged_at as "chargedAt", ended_at as "endedAt", tries, lent as "isLent"`;

function toPayment({ amount, failureCode, failureMessage, ...row }: Row): Payment {
  const failure = failureCode === null ? null : { code: failureCode, message: failureMessage ?? "" };
  return { ...row, amount: Number(amount), failure };
}

/** Writes a payment down before anything is charged; it is leased to the caller, who carries it on. False when the id
 *  is taken, or for a top-up when another one is open: the unique indexes decide, however many ask at once. */
export async function insertPayment(
  queryable: Queryable,
  payment: NewPayment & Partial<Pick<Payment, "chargedAt">>,
  state: PaymentState,
  leaseSeconds: number,
): Promise<boolean> {
  const { rowCount } = await queryable.query(
    `insert into payments (account_id, payment_id, kind, method, state, credits, amount, currency, grant_id, asked,
       payment_method_id, return_url, net_before, threshold, by, request_id, created_at, due_at, leased_until, link,
       charged_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $17,
       clock_timestamp() + make_interval(secs => $18), $19, $20)
     on conflict do nothing`,
    [
      payment.accountId,
      payment.id,
      payment.kind,
      payment.method,
      state,
      payment.credits,
      payment.amount,
      payment.currency,
      payment.grantId,
      payment.asked,
      payment.paymentMethodId,
      payment.returnUrl,
      payment.netBefore,
      payment.threshold,
      payment.by,
      payment.requestId,
      formatPostgresTimestamp(payment.createdAt),
      leaseSeconds,
      payment.link,
      formatNullableTimestamp(payment.chargedAt ?? null),
    ],
  );
  return rowCount === 1;
}

export async function readPayment(
  queryable: Queryable,
  accountId: AccountId,
  id: PaymentId,
): Promise<Payment | null> {
  const { rows } = await queryable.query<Row>(
    `select ${COLUMNS} from payments where account_id = $1 and payment_id = $2`,
    [accountId, id],
  );
  return rows[0] === undefined ? null : toPayment(rows[0]);
}

/** By what the provider calls it. */
export async function findPayment(
  pool: pg.Pool,
  { intentId, checkoutId }: { intentId: string | null; checkoutId: string | null },
): Promise<Payment | null> {
  const { rows } = await pool.query<Row>(
    `select ${COLUMNS} from payments where intent_id = $1 or checkout_id = $2 limit 1`,
    [intentId, checkoutId],
  );
  return rows[0] === undefined ? null : toPayment(rows[0]);
}

export async function findPaymentByLink(pool: pg.Pool, link: string): Promise<Payment | null> {
  const { rows } = await pool.query<Row>(`select ${COLUMNS} from payments where link = $1`, [link]);
  return rows[0] === undefined ? null : toPayment(rows[0]);
}

/** Takes payments that are due, each for one process alone until the lease ends. */
export async function takeDuePayments(
  pool: pg.Pool,
  { now, limit, leaseSeconds }: { now: Instant; limit: number; leaseSeconds: number },
): Promise<Payment[]> {
  const { rows } = await pool.query<Row>(
    `update payments set leased_until = clock_timestamp() + make_interval(secs => $3)
     where (account_id, payment_id) in (
       select account_id, payment_id from payments
       where due_at <= $1 and (leased_until is null or leased_until < clock_timestamp())
       order by due_at limit $2 for update skip locked
     )
     returning ${COLUMNS}`,
    [formatPostgresTimestamp(now), limit, leaseSeconds],
  );
  return rows.map(toPayment);
}

export interface PaymentChange {
  readonly state: PaymentState;
  readonly failure?: PaymentFailure;
  readonly intentId?: string | null;
  readonly chargedAt?: Instant;
  readonly endedAt?: Instant;
  /** null: not looked at again by itself. */
  readonly dueAt: Instant | null;
  /** Ends it without the money, which is no end for credits that may have been given. */
  readonly unlessLent?: true;
}

/** Moves a payment on if it is still in one of the states; false when somebody else has moved it. */
export async function movePayment(
  queryable: Queryable,
  payment: Pick<Payment, "accountId" | "id">,
  from: readonly PaymentState[],
  change: PaymentChange,
): Promise<boolean> {
  const { rowCount } = await queryable.query(
    `update payments set state = $4, failure_code = coalesce($5, failure_code),
       failure_message = coalesce($6, failure_message), intent_id = coalesce($7, intent_id),
       charged_at = coalesce(charged_at, $8), ended_at = coalesce($9, ended_at), due_at = $10, leased_until = null,
       tries = 0
     where account_id = $1 and payment_id = $2 and state = any($3) and not (lent and $11)`,
    [
      payment.accountId,
      payment.id,
      from,
      change.state,
      change.failure?.code ?? null,
      change.failure?.message ?? null,
      change.intentId ?? null,
      formatNullableTimestamp(change.chargedAt ?? null),
      formatNullableTimestamp(change.endedAt ?? null),
      formatNullableTimestamp(change.dueAt),
      change.unlessLent === true,
    ],
  );
  return rowCount === 1;
}

/** Notes, before credits are given for money that is only promised, that they may have been: whoever ends the payment
 *  without the money takes them back. False when it is over already. */
export async function lend(
  pool: pg.Pool,
  payment: Pick<Payment, "accountId" | "id">,
  open: readonly PaymentState[],
): Promise<boolean> {
  const { rowCount } = await pool.query(
    "update payments set lent = true where account_id = $1 and payment_id = $2 and state = any($3)",
    [payment.accountId, payment.id, open],
  );
  return rowCount === 1;
}

/** Puts a payment off to a later look, in whatever state it is; what the provider calls it is kept. */
export async function putOff(
  pool: pg.Pool,
  payment: Pick<Payment, "accountId" | "id">,
  { dueAt, intentId }: { dueAt: Instant | null; intentId: string | null },
): Promise<void> {
  await pool.query(
    `update payments set due_at = $3, tries = tries + 1, leased_until = null, intent_id = coalesce(intent_id, $4)
     where account_id = $1 and payment_id = $2`,
    [payment.accountId, payment.id, formatNullableTimestamp(dueAt), intentId],
  );
}

/** The page to pay on. */
export async function setCheckout(
  pool: pg.Pool,
  payment: Pick<Payment, "accountId" | "id">,
  { checkoutId, url, intentId }: { checkoutId: string; url: string | null; intentId: string | null },
): Promise<void> {
  await pool.query(
    `update payments set checkout_id = $3, url = $4, intent_id = coalesce(intent_id, $5)
     where account_id = $1 and payment_id = $2`,
    [payment.accountId, payment.id, checkoutId, url, intentId],
  );
}

/** Payments that wait for a person: to pay on a page, or to confirm. */
export async function waitingPayments(pool: pg.Pool, accountId: AccountId): Promise<Payment[]> {
  const { rows } = await pool.query<Row>(
    `select ${COLUMNS} from payments where account_id = $1 and state in ('wanted', 'requires_action')
     order by created_at, payment_id`,
    [accountId],
  );
  return rows.map(toPayment);
}

export interface PaymentCursor {
  readonly createdAt: Instant;
  readonly id: string;
}

/** An account's payments, newest first. */
export async function listPayments(
  pool: pg.Pool,
  request: {
    accountId: AccountId;
    kind: Payment["kind"] | null;
    limit: number;
    after: PaymentCursor | null;
  },
): Promise<Payment[]> {
  const { accountId, kind, limit, after } = request;
  const { rows } = await pool.query<Row>(
    `select ${COLUMNS} from payments
     where account_id = $1 and ($2::text is null or kind = $2)
       and ($3::timestamptz is null or (created_at, payment_id) < ($3, $4))
     order by created_at desc, payment_id desc limit $5`,
    [accountId, kind, formatNullableTimestamp(after?.createdAt ?? null), after?.id ?? null, limit],
  );
  return rows.map(toPayment);
}

/** The provider was asked and never said: its charge may still be found. Where nothing came of it in a day, nothing will. */
const MAY_BE_FOUND = `state = 'canceled' and failure_code = 'provider_failed' and ended_at > $3::timestamptz - interval '1 day'`;

/** What top-ups have charged or may still charge, for the caps. An attempt that is open counts in every window, and so
 *  does one that was given up within a day, as if it were charged now. */
export interface ChargedTopUp {
  readonly at: Instant;
  readonly isOpen: boolean;
  readonly credits: bigint;
  readonly amount: number;
  readonly currency: Currency;
}

export async function topUpsSince(
  queryable: Queryable,
  accountId: AccountId,
  { since, now }: { readonly since: Instant; readonly now: Instant },
): Promise<ChargedTopUp[]> {
  const { rows } = await queryable.query<Omit<ChargedTopUp, "amount"> & { amount: bigint }>(
    `select case when ${MAY_BE_FOUND} then $3 else greatest(created_at, coalesce(charged_at, created_at)) end as at,
       credits, amount, currency, state in ('wanted', 'charging', 'requires_action') as "isOpen"
     from payments
     where account_id = $1 and kind = 'topup' and (${MAY_BE_FOUND} or (state not in ('failed', 'reversed', 'canceled')
       and (state in ('wanted', 'charging', 'requires_action') or created_at >= $2 or charged_at >= $2)))
     order by created_at`,
    [accountId, formatPostgresTimestamp(since), formatPostgresTimestamp(now)],
  );
  return rows.map((row) => ({ ...row, amount: Number(row.amount) }));
}

export interface LastTopUp extends Pick<Payment, "id" | "state" | "credits"> {
  readonly triggeredAt: Instant;
}

/** The newest attempt, whatever became of it. One that was given up counts from then: until then it might have charged. */
export async function lastTopUp(queryable: Queryable, accountId: AccountId): Promise<LastTopUp | null> {
  const { rows } = await queryable.query<LastTopUp>(
    `select payment_id as id, state, credits,
       case when state = 'canceled' and failure_code = 'provider_failed' then ended_at else created_at end
         as "triggeredAt"
     from payments
     where account_id = $1 and kind = 'topup' order by created_at desc, payment_id desc limit 1`,
    [accountId],
  );
  return rows[0] ?? null;
}
