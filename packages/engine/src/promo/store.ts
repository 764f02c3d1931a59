import type { AccountId } from "@bursar/contract/ids";
import { formatNullableTimestamp, formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type pg from "pg";
import { purchasedBy } from "../grant/store-purchased.ts";
import type { Queryable } from "../mail/store.ts";
import type { Promo, PromoState, Redemption } from "./decide.ts";

const COLUMNS = `code, amount, redeem_limit as "limit", redeemed, minimum_purchased as "minimumPurchased",
  credits_last_days as "creditsLastDays", expires_at as "expiresAt", disabled_at as "disabledAt"`;

/** Locks the code for the transaction: whoever is last counts all who came before. */
export async function readPromoState(
  client: Queryable,
  { accountId, code }: { accountId: AccountId; code: string },
): Promise<PromoState> {
  const promos = await client.query<Promo>(`select ${COLUMNS} from promo_codes where code = $1 for update`, [
    code,
  ]);
  const redemptions = await client.query<Redemption>(
    `select grant_id as "grantId", amount, expires_at as "expiresAt" from promo_redemptions
     where account_id = $1 and code = $2`,
    [accountId, code],
  );
  const purchased = await purchasedBy(client, accountId);
  return { promo: promos.rows[0] ?? null, redemption: redemptions.rows[0] ?? null, purchased };
}

export interface NewRedemption extends Redemption {
  readonly accountId: AccountId;
  readonly code: string;
  readonly at: Instant;
}

/** The redemption, and one more in the count. */
export async function insertRedemption(client: Queryable, redemption: NewRedemption): Promise<void> {
  const { accountId, code, grantId, amount, expiresAt, at } = redemption;
  const expiry = formatNullableTimestamp(expiresAt);
  await client.query(
    `insert into promo_redemptions (account_id, code, grant_id, amount, expires_at, at)
     values ($1, $2, $3, $4, $5, $6)`,
    [accountId, code, grantId, amount, expiry, formatPostgresTimestamp(at)],
  );
  await client.query("update promo_codes set redeemed = redeemed + 1 where code = $1", [code]);
}

export interface PromoRecord extends Promo {
  readonly createdAt: Instant;
  readonly createdBy: string;
}

/** False when there is such a code already. */
export async function insertPromo(
  pool: pg.Pool,
  promo: Omit<PromoRecord, "redeemed" | "disabledAt">,
): Promise<boolean> {
  const { code, amount, limit, minimumPurchased, creditsLastDays, expiresAt, createdAt, createdBy } = promo;
  const expiry = formatNullableTimestamp(expiresAt);
  const { rowCount } = await pool.query(
    `insert into promo_codes (code, amount, redeem_limit, minimum_purchased, credits_last_days, expires_at, created_at,
       created_by)
     values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (code) do nothing`,
    [
      ...[code, amount, limit, minimumPurchased, creditsLastDays, expiry],
      ...[formatPostgresTimestamp(createdAt), createdBy],
    ],
  );
  return rowCount === 1;
}

const LIST_LIMIT = 1000;

const RECORD = `${COLUMNS}, created_at as "createdAt", created_by as "createdBy"`;

/** The latest first, a thousand at most. */
export async function listPromos(pool: pg.Pool): Promise<PromoRecord[]> {
  const { rows } = await pool.query<PromoRecord>(
    `select ${RECORD} from promo_codes order by created_at desc, code limit $1`,
    [LIST_LIMIT],
  );
  return rows;
}

/** The first time stands; null when there is no such code. */
export async function disablePromo(
  pool: pg.Pool,
  { code, by, at }: { code: string; by: string; at: Instant },
): Promise<PromoRecord | null> {
  const { rows } = await pool.query<PromoRecord>(
    `update promo_codes set disabled_by = case when disabled_at is null then $2 else disabled_by end,
       disabled_at = coalesce(disabled_at, $3)
     where code = $1 returning ${RECORD}`,
    [code, by, formatPostgresTimestamp(at)],
  );
  return rows[0] ?? null;
}
