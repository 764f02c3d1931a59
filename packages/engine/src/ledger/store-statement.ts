import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import { binaryArray, type Element, type ElementType, whole } from "./binary-array.ts";
import { fieldsOf } from "./entry.ts";
import type { CopyIn, Statement } from "./round-trip.ts";

/** The ledger's statements are planned once, and walk the indexes: left alone, Postgres plans them anew each time because
 *  the arrays look shorter then, which costs as much as running them; and a plan made while a table was small would scan
 *  it when it is large. (One made while it had a handful of rows and was analyzed still does, until it is analyzed again.) */
export const PLANNING = `set plan_cache_mode = force_generic_plan;
  set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off`;

/** One column of a batch insert: its name, its type, and how a row gives its value. */
export type Column<Row> = readonly [name: string, type: ElementType, value: (row: Row) => Element];

type Named = Pick<Statement, "name" | "text">;

/** A statement that writes any number of rows from one array a column, so that its text, and its plan, never change. One
 *  row goes in as plain values, which Postgres takes sooner than arrays of one. */
export interface BatchStatement<Row> {
  readonly many: Named;
  readonly one: Named;
  readonly columns: readonly Column<Row>[];
}

/** How a statement says which rows it writes: as a table of these columns, and how many they are. */
interface Rows {
  readonly table: string;
  readonly count: string;
}

export function batchStatement<Row>(
  name: string,
  columns: readonly Column<Row>[],
  textFor: (rows: Rows) => string,
): BatchStatement<Row> {
  return {
    many: { name, text: textFor({ table: manyRows(columns), count: "cardinality($1)" }) },
    one: { name: `${name}_one`, text: textFor({ table: oneRow(columns), count: "1" }) },
    columns,
  };
}

/** Arrays unnested side by side in a select list go through no tuple store, as those of `unnest(a, b)` do. */
function manyRows<Row>(columns: readonly Column<Row>[]): string {
  const arrays = columns.map(([name, type], index) => `unnest($${index + 1}::${type}[]) as ${name}`);
  return `select ${arrays.join(", ")}`;
}

function oneRow<Row>(columns: readonly Column<Row>[]): string {
  return `select ${columns.map(([name, type], index) => `$${index + 1}::${type} as ${name}`).join(", ")}`;
}

export function insertInto<Row>(
  table: string,
  columns: readonly Column<Row>[],
  conflict = "",
): BatchStatement<Row> {
  const names = columns.map(([name]) => name).join(", ");
  return batchStatement(
    `ledger_insert_${table}`,
    columns,
    (rows) => `insert into ${table} (${names}) ${rows.table} ${conflict}`,
  );
}

export function deleteFrom<Row>(table: string, columns: readonly Column<Row>[]): BatchStatement<Row> {
  const match = columns.map(([name]) => `t.${name} = gone.${name}`).join(" and ");
  return batchStatement(
    `ledger_delete_${table}`,
    columns,
    (rows) => `delete from ${table} t using (${rows.table}) as gone where ${match}`,
  );
}

export function write<Row>({ many, one, columns }: BatchStatement<Row>, rows: readonly Row[]): Statement[] {
  const [first] = rows;
  if (first === undefined) return [];
  if (rows.length === 1)
    return [{ ...one, values: columns.map(([, type, of]) => plainValue(type, of(first))) }];
  return [{ ...many, values: columns.map(([, type, of]) => binaryArray(type, rows.map(of))) }];
}

function plainValue(type: ElementType, value: Element): string | null {
  // As in an array: what is left out is null, and a number that is no longer exact is refused.
  if (value == null) return null;
  if (typeof value === "number") whole(value);
  if (type === "timestamptz") return formatPostgresTimestamp(value as Instant);
  return type === "bytea" ? `\\x${String(value)}` : String(value);
}

/** Rows that come as lines of COPY's text format. */
export interface LineStatement {
  readonly copy: Named;
  readonly insert: Named;
}

/** So many cost less by an INSERT each: COPY asks for its rows before it takes them, which wakes us for nothing. */
const FEW = 3;

/** `columns`: their names, with commas between them. */
export function linesInto(table: string, columns: string): LineStatement {
  const values = columns.split(",").map((_, index) => `$${index + 1}`);
  return {
    copy: { name: `ledger_copy_${table}`, text: `copy ${table} (${columns}) from stdin` },
    insert: {
      name: `ledger_insert_${table}`,
      text: `insert into ${table} (${columns}) values (${values.join(", ")})`,
    },
  };
}

export function writeLines({ copy, insert }: LineStatement, lines: Buffer): (Statement | CopyIn)[] {
  return isMore(lines)
    ? [{ ...copy, lines }]
    : lines
        .toString()
        .split("\n")
        .slice(0, -1)
        .map((line) => ({ ...insert, values: fieldsOf(line) }));
}

function isMore(lines: Buffer): boolean {
  let end = -1;
  for (let line = 0; line < FEW; line += 1) {
    end = lines.indexOf(NEWLINE, end + 1);
    if (end === -1) return false;
  }
  return end < lines.length - 1;
}

const NEWLINE = 10;

/** The statements that these are at the database, to be prepared. */
export function formsOf(statement: LineStatement | BatchStatement<never>): Named[] {
  return "copy" in statement ? [statement.copy, statement.insert] : [statement.many, statement.one];
}
