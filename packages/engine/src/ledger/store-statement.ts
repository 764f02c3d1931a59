import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import { plainArray, quotedArray, textArray } from "./array-literal.ts";
import type { Statement } from "./round-trip.ts";

/** The ledger's statements are planned once, and always walk the indexes: left alone, Postgres plans them anew each time
 *  because the arrays look shorter then, which costs as much as running them; and a plan made while a table was small
 *  would scan it when it is large. */
export const PLANNING = `set plan_cache_mode = force_generic_plan;
  set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off`;

/** One column of a batch insert: its name, its type, and how a row gives its value. */
export type Column<Row> = readonly [
  name: string,
  type: string,
  value: (row: Row) => string | bigint | number | null,
];

/** A statement that writes any number of rows from one array a column, so that its text, and its plan, never change. */
export interface BatchStatement<Row> {
  readonly name: string;
  readonly text: string;
  readonly columns: readonly Column<Row>[];
}

const TEXT_TYPES = new Set(["text", "json", "timestamptz"]);
/** Columns whose text never needs an escape. */
const PLAIN_TEXT = new Set(["account_id", "grants", "hash", "known_hash", "hold_id", "grant_id"]);

export function columnsOf<Row>(columns: readonly Column<Row>[]): { names: string; arrays: string } {
  return {
    names: columns.map(([name]) => name).join(", "),
    arrays: columns.map(([, type], index) => `$${index + 1}::${type}[]`).join(", "),
  };
}

export function insertInto<Row>(
  table: string,
  columns: readonly Column<Row>[],
  conflict = "",
): BatchStatement<Row> {
  const { names, arrays } = columnsOf(columns);
  const text = `insert into ${table} (${names}) select * from unnest(${arrays}) ${conflict}`;
  return { name: `ledger_insert_${table}`, text, columns };
}

export function deleteFrom<Row>(table: string, columns: readonly Column<Row>[]): BatchStatement<Row> {
  const { names, arrays } = columnsOf(columns);
  const match = columns.map(([name]) => `t.${name} = gone.${name}`).join(" and ");
  const text = `delete from ${table} t using unnest(${arrays}) as gone (${names}) where ${match}`;
  return { name: `ledger_delete_${table}`, text, columns };
}

export function write<Row>(statement: BatchStatement<Row>, rows: readonly Row[]): Statement[] {
  if (rows.length === 0) return [];
  const values = statement.columns.map(([name, type, value]) => {
    if (PLAIN_TEXT.has(name)) return quotedArray(rows.map(value) as string[]);
    return TEXT_TYPES.has(type)
      ? textArray(rows.map(value) as (string | null)[])
      : plainArray(rows.map(value));
  });
  return [{ name: statement.name, text: statement.text, values }];
}

export const timestamp = (instant: Instant | null) =>
  instant === null ? null : formatPostgresTimestamp(instant);
