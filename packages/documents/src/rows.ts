import { bottomOf, COLOURS, heightOf, MARGIN, type Page, SIZES, widthOf, write } from "./page.ts";

export interface Column {
  readonly title: string;
  /** Its part of the width, next to the others'. */
  readonly share: number;
  readonly align?: "left" | "right";
}

const GAP = 10;
const PADDING = 5;

interface Placed extends Column {
  readonly x: number;
  readonly width: number;
}

/** A table from `y` on, over as many pages as it needs, its titles on each. Cells wrap; a row is never torn apart, but
 *  for one that is longer than a page, whose cells are cut. Returns where it ends. */
export function drawRows(
  page: Page,
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  y: number,
): number {
  const placed = place(columns, widthOf(page));
  let top = drawTitles(page, placed, y);
  for (const cells of rows) {
    const height = Math.min(rowHeight(page, placed, cells), bottomOf(page) - 2 * MARGIN);
    if (top + height > bottomOf(page)) {
      page.addPage();
      top = drawTitles(page, placed, MARGIN);
    }
    top = drawRow(page, placed, cells, top, height);
  }
  return top;
}

function place(columns: readonly Column[], width: number): Placed[] {
  const shares = columns.reduce((sum, { share }) => sum + share, 0);
  const unit = (width - GAP * (columns.length - 1)) / shares;
  let x = MARGIN;
  return columns.map((column) => {
    const placed = { ...column, x, width: column.share * unit };
    x += placed.width + GAP;
    return placed;
  });
}

function drawTitles(page: Page, columns: readonly Placed[], y: number): number {
  page.font("bold").fontSize(SIZES.small).fillColor(COLOURS.faint);
  const height = Math.max(...columns.map(({ title, width }) => heightOf(page, title, width)));
  for (const { title, x, width, align = "left" } of columns) write(page, title, x, y, { width, align });
  return drawLine(page, y + height + PADDING);
}

function rowHeight(page: Page, columns: readonly Placed[], cells: readonly string[]): number {
  page.font("regular").fontSize(SIZES.text);
  return Math.max(...columns.map(({ width }, index) => heightOf(page, cells[index] ?? "", width)));
}

function drawRow(
  page: Page,
  columns: readonly Placed[],
  cells: readonly string[],
  y: number,
  height: number,
): number {
  page.font("regular").fontSize(SIZES.text).fillColor(COLOURS.text);
  columns.forEach(({ x, width, align = "left" }, index) => {
    write(page, cells[index] ?? "", x, y + PADDING, { width, align, height, ellipsis: true });
  });
  return drawLine(page, y + height + 2 * PADDING);
}

/** Returns where it is. */
export function drawLine(page: Page, y: number): number {
  const right = MARGIN + widthOf(page);
  page.moveTo(MARGIN, y).lineTo(right, y).lineWidth(0.5).strokeColor(COLOURS.line).stroke();
  return y;
}
