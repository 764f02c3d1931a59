import { stripVTControlCharacters } from "node:util";
import type { Paint } from "./paint.ts";

/** How a column lines up: texts at the left, numbers at their decimal point. */
type Alignment = "left" | "decimal";

export interface Column<Row> {
  readonly title: string;
  readonly align?: Alignment;
  readonly of: (row: Row) => string;
}

/** Lines with aligned columns; `nothing` when there are no rows. */
export function table<Row>(
  paint: Paint,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  nothing: string,
): string {
  if (rows.length === 0) return paint.dim(nothing);
  const cells = columns.map((column) => alignedCells(column, rows, paint));
  const lineAt = (line: number) =>
    cells
      .map((column) => column[line] ?? "")
      .join("  ")
      .trimEnd();
  return Array.from({ length: rows.length + 1 }, (_, line) => lineAt(line)).join("\n");
}

/** The title and then a cell a row, all equally wide. */
function alignedCells<Row>(column: Column<Row>, rows: readonly Row[], paint: Paint): string[] {
  const isLeft = column.align !== "decimal";
  const cells = isLeft ? rows.map(column.of) : lineUpDecimals(rows.map(column.of));
  const width = Math.max(column.title.length, ...cells.map(visibleLength));
  const pad = (text: string) => {
    const space = " ".repeat(width - visibleLength(text));
    return isLeft ? text + space : space + text;
  };
  return [paint.dim(pad(column.title)), ...cells.map(pad)];
}

function lineUpDecimals(numbers: readonly string[]): string[] {
  const longest = Math.max(0, ...numbers.map(fractionLength));
  return numbers.map((text) => text + " ".repeat(longest - fractionLength(text)));
}

/** With the point. */
function fractionLength(number: string): number {
  return number.includes(".") ? number.length - number.indexOf(".") : 0;
}

function visibleLength(text: string): number {
  return stripVTControlCharacters(text).length;
}

/** A name and a value a line, the values aligned. Lines whose value is null are left out. */
export function facts(
  paint: Paint,
  pairs: readonly (readonly [name: string, value: string | null])[],
): string {
  const shown = pairs.filter((pair): pair is readonly [string, string] => pair[1] !== null);
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${paint.dim(name.padEnd(width))}  ${value}`).join("\n");
}

export function indent(text: string, spaces = 2): string {
  return text.replace(/^(?=.)/gm, " ".repeat(spaces));
}
