import type { AccountId } from "@bursar/contract/ids";
import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type pg from "pg";
import type { Queryable } from "../mail/store.ts";
import { type Draws, drawsFromJson, drawsToJson } from "../payment/taken.ts";
import type { ReversalRecord } from "./payments.ts";
import type { Invoice } from "./store-invoices.ts";

type Key = Pick<Invoice, "accountId" | "id">;

/** What a reversal has taken of one of a month's grants. */
export interface Taking {
  readonly draws: Draws;
  /** So much of the grant was gone when it was decided, and is not taken again. */
  readonly already: MicroCredits;
}

/** A refund or dispute as it is kept. */
export interface Reversal extends ReversalRecord {
  /** When it was first seen. */
  readonly at: Instant;
  /** What it has taken, by the grant of a month; one that is not among them is still to be decided. */
  readonly takings: ReadonlyMap<string, Taking>;
}

/** Stands for all that was paid back before refunds were kept one by one, until the provider says which they were. */
const BEFORE = "before";

export const isOfBefore = ({ id }: Pick<Reversal, "id">): boolean => id === BEFORE;

/** Whoever decides about an invoice's reversals is alone until the transaction ends. */
export async function lockInvoice(client: pg.PoolClient, { accountId, id }: Key): Promise<void> {
  await client.query(
    "select from subscription_invoices where account_id = $1 and invoice_id = $2 for update",
    [accountId, id],
  );
}

const ORDER = "array['open', 'taken', 'returned']";

/** Takes in what is new, the oldest first, after all that is known. A state never moves back. */
export async function writeReversals(
  client: pg.PoolClient,
  { accountId, id }: Key,
  records: readonly ReversalRecord[],
  now: Instant,
): Promise<void> {
  await client.query(
    `insert into subscription_reversals as r (account_id, invoice_id, reversal_id, kind, state, amount, at, place)
     select $1, $2, v.id, v.kind, v.state, v.amount, $7, v.place + (
       select coalesce(max(k.place), 0) from subscription_reversals k where k.account_id = $1 and k.invoice_id = $2)
     from unnest($3::text[], $4::text[], $5::text[], $6::int8[]) with ordinality as v (id, kind, state, amount, place)
     on conflict (account_id, invoice_id, reversal_id) do update set state = excluded.state
     where array_position(${ORDER}, excluded.state) > array_position(${ORDER}, r.state)`,
    [
      accountId,
      id,
      records.map((record) => record.id),
      records.map(({ kind }) => kind),
      records.map(({ state }) => state),
      records.map(({ amount }) => amount),
      formatPostgresTimestamp(now),
    ],
  );
  await client.query(
    `update subscription_invoices set taken_back = (select coalesce(sum(r.amount), 0) from subscription_reversals r
       where r.account_id = $1 and r.invoice_id = $2 and r.state = 'taken' and r.reversal_id <> $3)
     where account_id = $1 and invoice_id = $2`,
    [accountId, id, BEFORE],
  );
}

type StoredDraws = Parameters<typeof drawsFromJson>[0];
type Row = Omit<Reversal, "amount" | "takings"> & {
  readonly amount: bigint;
  readonly takings: readonly (readonly [grantId: string, draws: StoredDraws, already: string])[];
};

/** In the order in which they were first seen. */
export async function readReversals(queryable: Queryable, { accountId, id }: Key): Promise<Reversal[]> {
  const { rows } = await queryable.query<Row>(
    `select reversal_id as id, kind, state, amount, at,
       (select coalesce(json_agg(json_build_array(d.grant_id, d.draws, d.already::text)), '[]')
        from subscription_reversal_draws d where d.account_id = r.account_id and d.invoice_id = r.invoice_id
          and d.reversal_id = r.reversal_id) as takings
     from subscription_reversals r where account_id = $1 and invoice_id = $2
     order by at, place, reversal_id`,
    [accountId, id],
  );
  return rows.map(({ amount, takings, ...row }) => ({
    ...row,
    amount: Number(amount),
    takings: new Map(
      takings.map(([grantId, draws, already]) => [
        grantId,
        { draws: drawsFromJson(draws), already: BigInt(already) },
      ]),
    ),
  }));
}

export async function keepTaking(
  client: pg.PoolClient,
  { accountId, id }: Key,
  reversalId: string,
  grantId: string,
  { draws, already }: Taking,
): Promise<void> {
  await client.query(
    `insert into subscription_reversal_draws (account_id, invoice_id, reversal_id, grant_id, draws, already)
     values ($1, $2, $3, $4, $5, $6)`,
    [accountId, id, reversalId, grantId, drawsToJson(draws), already],
  );
}

/** With what it takes besides what was decided at first. */
export async function keepMore(
  client: pg.PoolClient,
  { accountId, id }: Key,
  reversalId: string,
  grantId: string,
  draws: Draws,
): Promise<void> {
  await client.query(
    `update subscription_reversal_draws set draws = $5
     where account_id = $1 and invoice_id = $2 and reversal_id = $3 and grant_id = $4`,
    [accountId, id, reversalId, grantId, drawsToJson(draws)],
  );
}

/** Invoices with an open dispute and months whose credits are free, also those that came again. */
export async function invoicesToFreeze(
  pool: pg.Pool,
): Promise<{ readonly accountId: AccountId; readonly id: string }[]> {
  const { rows } = await pool.query<{ accountId: AccountId; id: string }>(
    `select distinct r.account_id as "accountId", r.invoice_id as id
     from subscription_reversals r join accounts a using (account_id)
     where r.state = 'open' and ';' || a.grants ~ ('[;_]grant_(grace_)?' || r.invoice_id || '(_[0-9]+)? [^ ]+ [1-9]')
     limit 500`,
  );
  return rows;
}

/** Invoices with a dispute that was first seen since then and is closed, and of which something is frozen still. */
export async function invoicesToFree(
  pool: pg.Pool,
  since: Instant,
): Promise<{ readonly accountId: AccountId; readonly id: string }[]> {
  const { rows } = await pool.query<{ accountId: AccountId; id: string }>(
    `select distinct r.account_id as "accountId", r.invoice_id as id
     from subscription_reversals r
     where r.kind = 'dispute' and r.state <> 'open' and r.at >= $1 and exists (
       select from holds h where h.account_id = r.account_id
         and starts_with(h.hold_id, 'hold_dispute_' || r.reversal_id || '_grant_'))
     limit 500`,
    [formatPostgresTimestamp(since)],
  );
  return rows;
}

/** Those of these invoices that have an open dispute. */
export async function disputedInvoices(
  pool: pg.Pool,
  accountId: string,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await pool.query<{ id: string }>(
    `select distinct invoice_id as id from subscription_reversals
     where account_id = $1 and invoice_id = any($2) and state = 'open'`,
    [accountId, ids],
  );
  return new Set(rows.map(({ id }) => id));
}
