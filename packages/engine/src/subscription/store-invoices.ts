import type { Currency } from "@bursar/contract/fiat";
import type { AccountId } from "@bursar/contract/ids";
import { formatNullableTimestamp, formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type pg from "pg";
import type { InvoiceContent, InvoiceRecord } from "./payments.ts";
import type { Subscription, SubscriptionId } from "./subscription.ts";

/** An invoice as it is kept: what the provider said last, and how many of its months are in the ledger. */
export interface Invoice extends Omit<InvoiceRecord, "providerId" | "reversals" | "content"> {
  readonly accountId: AccountId;
  readonly subscriptionId: SubscriptionId;
  /** Of what was paid: paid back, or lost in disputes. */
  readonly takenBack: number;
  /** null: it was kept before there was any. */
  readonly content: InvoiceContent | null;
  readonly issued: number;
  /** When credits of it are due; null: none are. */
  readonly dueAt: Instant | null;
}

interface Row extends Omit<Invoice, "amountDue" | "amountPaid" | "takenBack"> {
  readonly takenBack: bigint;
  readonly amountDue: bigint;
  readonly amountPaid: bigint;
  readonly currency: Currency;
}

const COLUMNS = `account_id as "accountId", invoice_id as id, subscription_id as "subscriptionId", plan_id as "planId",
  reason, status, number, amount_due as "amountDue", amount_paid as "amountPaid",
  taken_back as "takenBack", currency, content, paid_at as "paidAt", paid_with as "paidWith",
  period_start as "periodStart", period_end as "periodEnd", attempts, url, pdf_url as "pdfUrl",
  created_at as "createdAt", issued, due_at as "dueAt"`;

const invoiceOf = (row: Row): Invoice => {
  const { amountDue, amountPaid, takenBack } = row;
  const amounts = {
    amountDue: Number(amountDue),
    amountPaid: Number(amountPaid),
    takenBack: Number(takenBack),
  };
  return { ...row, ...amounts };
};

/** Takes in what the provider says now. What was read earlier may be written later, so a status that is final stays,
 *  and tries are never fewer. A paid invoice is due at once. */
export async function writeInvoice(
  pool: pg.Pool,
  { accountId, id }: Pick<Subscription, "accountId" | "id">,
  record: InvoiceRecord,
  now: Instant,
): Promise<Invoice> {
  const { rows } = await pool.query<Row>(
    `insert into subscription_invoices as i (account_id, invoice_id, subscription_id, plan_id, reason, status, number,
       amount_due, amount_paid, currency, period_start, period_end, attempts, url, pdf_url, created_at, due_at,
       content, paid_at, paid_with)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
       case when $6 = 'paid' then $17::timestamptz end, $18, $19, $20)
     on conflict (account_id, invoice_id) do update set
       status = case when i.status in ('paid', 'void') then i.status else excluded.status end,
       due_at = case when i.status <> 'paid' and excluded.status = 'paid' then excluded.due_at else i.due_at end,
       plan_id = coalesce(i.plan_id, excluded.plan_id), number = coalesce(excluded.number, i.number),
       amount_due = excluded.amount_due, amount_paid = greatest(i.amount_paid, excluded.amount_paid),
       content = case when i.status in ('paid', 'void') then coalesce(i.content, excluded.content) else excluded.content end,
       paid_at = coalesce(i.paid_at, excluded.paid_at), paid_with = coalesce(excluded.paid_with, i.paid_with),
       period_start = case when i.status = 'paid' then i.period_start else excluded.period_start end,
       period_end = case when i.status = 'paid' then i.period_end else excluded.period_end end,
       attempts = greatest(i.attempts, excluded.attempts),
       url = coalesce(excluded.url, i.url), pdf_url = coalesce(excluded.pdf_url, i.pdf_url)
     returning ${COLUMNS}`,
    [
      accountId,
      record.id,
      id,
      record.planId,
      record.reason,
      record.status,
      record.number,
      record.amountDue,
      record.amountPaid,
      record.currency,
      formatPostgresTimestamp(record.periodStart),
      formatPostgresTimestamp(record.periodEnd),
      record.attempts,
      record.url,
      record.pdfUrl,
      formatPostgresTimestamp(record.createdAt),
      formatPostgresTimestamp(now),
      JSON.stringify(record.content),
      formatNullableTimestamp(record.paidAt),
      record.paidWith,
    ],
  );
  return invoiceOf(rows[0]!);
}

/** So many months are in the ledger now; others may have said so before. */
export async function markIssued(
  pool: pg.Pool,
  { accountId, id }: Pick<Invoice, "accountId" | "id">,
  issued: number,
  nextAt: Instant | null,
): Promise<void> {
  await pool.query(
    `update subscription_invoices set issued = $3, due_at = $4
     where account_id = $1 and invoice_id = $2 and issued <= $3`,
    [accountId, id, issued, formatNullableTimestamp(nextAt)],
  );
}

/** Paid invoices with months whose credits are due, the longest due first. */
export async function dueInvoices(pool: pg.Pool, now: Instant, limit: number): Promise<Invoice[]> {
  const { rows } = await pool.query<Row>(
    `select ${COLUMNS} from subscription_invoices where due_at <= $1 order by due_at limit $2`,
    [formatPostgresTimestamp(now), limit],
  );
  return rows.map(invoiceOf);
}

/** The newest invoice that a subscription's current credits come from. */
export async function latestPaid(
  pool: pg.Pool,
  { accountId, id }: Pick<Subscription, "accountId" | "id">,
): Promise<Invoice | null> {
  const { rows } = await pool.query<Row>(
    `select ${COLUMNS} from subscription_invoices
     where account_id = $1 and subscription_id = $2 and status = 'paid' and reason <> 'other'
     order by created_at desc, (reason = 'update') desc, invoice_id desc limit 1`,
    [accountId, id],
  );
  return rows[0] === undefined ? null : invoiceOf(rows[0]);
}

/** All that were paid for the period that was paid for last: its own, and those of changes within it. */
export async function lastPaidPeriod(
  pool: pg.Pool,
  { accountId, id }: Pick<Subscription, "accountId" | "id">,
): Promise<Invoice[]> {
  const { rows } = await pool.query<Row>(
    `select ${COLUMNS} from subscription_invoices
     where account_id = $1 and subscription_id = $2 and status = 'paid' and reason <> 'other'
       and period_end = (select max(period_end) from subscription_invoices
         where account_id = $1 and subscription_id = $2 and status = 'paid' and reason <> 'other')
     order by created_at, invoice_id`,
    [accountId, id],
  );
  return rows.map(invoiceOf);
}

/** Where a page of invoices ended. */
export interface InvoicePlace {
  readonly createdAt: Instant;
  readonly id: string;
}

/** Newest first. */
export async function listInvoices(
  pool: pg.Pool,
  accountId: AccountId,
  { before, limit }: { before: InvoicePlace | null; limit: number },
): Promise<Invoice[]> {
  const { rows } = await pool.query<Row>(
    `select ${COLUMNS} from subscription_invoices
     where account_id = $1 and ($2::timestamptz is null or (created_at, invoice_id) < ($2::timestamptz, $3::text))
     order by created_at desc, invoice_id desc limit $4`,
    [
      accountId,
      before === null ? null : formatPostgresTimestamp(before.createdAt),
      before?.id ?? null,
      limit,
    ],
  );
  return rows.map(invoiceOf);
}

/** By its id or its number. */
export async function findInvoice(
  pool: pg.Pool,
  accountId: AccountId,
  named: string,
): Promise<Invoice | null> {
  const { rows } = await pool.query<Row>(
    `select ${COLUMNS} from subscription_invoices
     where account_id = $1 and (invoice_id = $2 or number = $2) order by (invoice_id = $2) desc limit 1`,
    [accountId, named],
  );
  return rows[0] === undefined ? null : invoiceOf(rows[0]);
}
