import { binaryArray, type Element, type ElementType } from "./binary-array.ts";
import type { Statement } from "./round-trip.ts";

/** The ledger's statements are planned once, and walk the indexes: left alone, Postgres plans them anew each time because
 *  the arrays look shorter then, which costs as much as running them; and a plan made while a table was small would scan
 *  it when it is large. (One made while it had a handful of rows and was analyzed still does, until it is analyzed again.) */
export const PLANNING = `set plan_cache_mode = force_generic_plan;
  set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off`;

/** One column of a batch insert: its name, its type, and how a row gives its value. */
export type Column<Row> = readonly [name: string, type: ElementType, value: (row: Row) => Element];

/** A statement that writes any number of rows from one array a column, so that its text, and its plan, never change. */
export interface BatchStatement<Row> {
  readonly name: string;
  readonly text: string;
  readonly columns: readonly Column<Row>[];
}

/** The rows that the parameters are, one array a column. Arrays unnested side by side in a select list go through no
 *  tuple store, as those of `unnest(a, b)` do. */
export function rowsOf<Row>(columns: readonly Column<Row>[]): string {
  const arrays = columns.map(([name, type], index) => `unnest($${index + 1}::${type}[]) as ${name}`);
  return `select ${arrays.join(", ")}`;
}

export function insertInto<Row>(
  table: string,
  columns: readonly Column<Row>[],
  conflict = "",
): BatchStatement<Row> {
  const names = columns.map(([name]) => name).join(", ");
  const text = `insert into ${table} (${names}) ${rowsOf(columns)} ${conflict}`;
  return { name: `ledger_insert_${table}`, text, columns };
}

export function deleteFrom<Row>(table: string, columns: readonly Column<Row>[]): BatchStatement<Row> {
  const match = columns.map(([name]) => `t.${name} = gone.${name}`).join(" and ");
  const text = `delete from ${table} t using (${rowsOf(columns)}) as gone where ${match}`;
  return { name: `ledger_delete_${table}`, text, columns };
}

export function write<Row>(statement: BatchStatement<Row>, rows: readonly Row[]): Statement[] {
  if (rows.length === 0) return [];
  const values = statement.columns.map(([, type, value]) => binaryArray(type, rows.map(value)));
  return [{ name: statement.name, text: statement.text, values }];
}
