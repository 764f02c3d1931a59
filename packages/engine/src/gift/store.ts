import type { AccountId } from "@bursar/contract/ids";
import { formatNullableTimestamp, formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type pg from "pg";
import type { Queryable } from "../mail/store.ts";
import type { GiftCard } from "./decide.ts";

/** Locks the card for the transaction: of all who try it, one goes first. */
export async function lockCard(client: Queryable, hash: Buffer): Promise<GiftCard | null> {
  const { rows } = await client.query<GiftCard>(
    `select c.card_id as id, b.amount, b.expires_at as "expiresAt", c.redeemed_by as "redeemedBy",
       c.voided_at is not null as "isVoid"
     from gift_cards c join gift_batches b using (batch_id) where c.code_hash = $1 for update of c`,
    [hash],
  );
  return rows[0] ?? null;
}

export async function markRedeemed(
  client: Queryable,
  { id, by, at }: { id: string; by: AccountId; at: Instant },
): Promise<void> {
  await client.query("update gift_cards set redeemed_by = $2, redeemed_at = $3 where card_id = $1", [
    id,
    by,
    formatPostgresTimestamp(at),
  ]);
}

export interface BatchRecord {
  readonly id: string;
  readonly name: string;
  readonly amount: MicroCredits;
  readonly count: number;
  readonly expiresAt: Instant | null;
  readonly createdAt: Instant;
  readonly createdBy: string;
  readonly redeemed: number;
  readonly voided: number;
}

/** False when there is one under this id. */
export async function insertBatch(
  client: Queryable,
  batch: Omit<BatchRecord, "redeemed" | "voided">,
): Promise<boolean> {
  const { id, name, amount, count, expiresAt, createdAt, createdBy } = batch;
  const expiry = formatNullableTimestamp(expiresAt);
  const { rowCount } = await client.query(
    `insert into gift_batches (batch_id, name, amount, count, expires_at, created_at, created_by)
     values ($1, $2, $3, $4, $5, $6, $7) on conflict (batch_id) do nothing`,
    [id, name, amount, count, expiry, formatPostgresTimestamp(createdAt), createdBy],
  );
  return rowCount === 1;
}

export async function insertCards(
  client: Queryable,
  { batchId, ids, hashes }: { batchId: string; ids: readonly string[]; hashes: readonly Buffer[] },
): Promise<void> {
  await client.query(
    `insert into gift_cards (card_id, batch_id, code_hash)
     select card_id, $1, code_hash from unnest($2::text[], $3::bytea[]) as v (card_id, code_hash)`,
    [batchId, ids, hashes],
  );
}

const LIST_LIMIT = 1000;

/** The latest first; one by its id, or the latest thousand. */
export async function listBatches(pool: pg.Pool, id: string | null = null): Promise<BatchRecord[]> {
  const { rows } = await pool.query<BatchRecord>(
    `select batch_id as id, b.name, b.amount, b.count, b.expires_at as "expiresAt", b.created_at as "createdAt",
       b.created_by as "createdBy", count(c.redeemed_at)::int4 as redeemed, count(c.voided_at)::int4 as voided
     from gift_batches b join gift_cards c using (batch_id)
     where $1::text is null or batch_id = $1
     group by batch_id order by b.created_at desc, batch_id desc limit $2`,
    [id, LIST_LIMIT],
  );
  return rows;
}

export interface CardRecord {
  readonly id: string;
  readonly redeemedBy: AccountId | null;
  readonly redeemedAt: Instant | null;
  readonly voidedAt: Instant | null;
  readonly voidReason: string | null;
}

export async function listCards(pool: pg.Pool, batchId: string): Promise<CardRecord[]> {
  const { rows } = await pool.query<CardRecord>(
    `select card_id as id, redeemed_by as "redeemedBy", redeemed_at as "redeemedAt", voided_at as "voidedAt",
       void_reason as "voidReason"
     from gift_cards where batch_id = $1 order by card_id`,
    [batchId],
  );
  return rows;
}

/** Voids the card, or the batch's cards, that nobody has redeemed; the first reason stands. Counts what is void and what
 *  is redeemed now. null: there is neither such a card nor such a batch. */
export async function voidCards(
  pool: pg.Pool,
  { id, reason, by, at }: { id: string; reason: string; by: string; at: Instant },
): Promise<{ voided: number; redeemed: number } | null> {
  await pool.query(
    `update gift_cards set voided_at = $2, voided_by = $3, void_reason = $4
     where (card_id = $1 or batch_id = $1) and redeemed_at is null and voided_at is null`,
    [id, formatPostgresTimestamp(at), by, reason],
  );
  const { rows } = await pool.query<{ cards: number; voided: number; redeemed: number }>(
    `select count(*)::int4 as cards, count(voided_at)::int4 as voided, count(redeemed_at)::int4 as redeemed
     from gift_cards where card_id = $1 or batch_id = $1`,
    [id],
  );
  const { cards, ...counts } = rows[0]!;
  return cards === 0 ? null : counts;
}
