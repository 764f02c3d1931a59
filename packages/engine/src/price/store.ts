import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import { type PriceBookInput, priceBookBody } from "@bursar/contract/operations/prices";
import type pg from "pg";
import type { PriceBook } from "./decide.ts";

export interface PriceBookVersion extends PriceBook {
  readonly validFrom: Instant;
  readonly createdAt: Instant;
  /** As it was put, before defaults and conversions. */
  readonly source: PriceBookInput;
}

interface Row {
  version: number;
  valid_from: Instant;
  created_at: Instant;
  body: PriceBookInput;
}

/** The version in force at an instant: of those valid by then, the one valid last. And all that come into force later,
 *  also those that were put before it. */
export async function loadPriceBooks(pool: pg.Pool, at: Instant): Promise<PriceBookVersion[]> {
  const { rows } = await pool.query<Row>(
    `select version, valid_from, created_at, body from price_books
     where valid_from > $1 or version = (
       select version from price_books where valid_from <= $1 order by valid_from desc, version desc limit 1)
     order by valid_from, version`,
    [formatPostgresTimestamp(at)],
  );
  return rows.map(toVersion);
}

export type PutOutcome =
  | { readonly kind: "put"; readonly version: PriceBookVersion }
  | { readonly kind: "price_book_conflict"; readonly latest: number };

/** Adds the next version; the primary key refuses the second of two at once. */
export async function insertPriceBook(
  pool: pg.Pool,
  request: { body: PriceBookInput; validFrom: string; createdAt: string; version: number | null; by: string },
): Promise<PutOutcome> {
  const { rows } = await pool.query<Row>(
    `insert into price_books (version, valid_from, created_at, created_by, body)
     select coalesce(max(version), 0) + 1, $1, $2, $3, $4 from price_books
     having $5::int4 is null or coalesce(max(version), 0) + 1 = $5::int4
     on conflict (version) do nothing
     returning version, valid_from, created_at, body`,
    [request.validFrom, request.createdAt, request.by, JSON.stringify(request.body), request.version],
  );
  if (rows[0] !== undefined) return { kind: "put", version: toVersion(rows[0]) };
  const latest = await pool.query<{ version: number }>(
    "select coalesce(max(version), 0) as version from price_books",
  );
  return { kind: "price_book_conflict", latest: latest.rows[0]!.version };
}

function toVersion(row: Row): PriceBookVersion {
  return {
    version: row.version,
    body: priceBookBody.parse(row.body),
    validFrom: row.valid_from,
    createdAt: row.created_at,
    source: row.body,
  };
}
