import { bottomOf, COLOURS, heightOf, MARGIN, type Page, SIZES, widthOf, write } from "./page.ts";
import type { Party } from "./party.ts";
import { type Column, drawLine, drawRows } from "./rows.ts";

type Pair = readonly [label: string, value: string];

/** What a receipt and a credit note have in common, in texts. */
export interface Invoice {
  readonly title: string;
  readonly seller: Party;
  readonly buyer: Party;
  readonly facts: readonly Pair[];
  readonly rows: readonly (readonly string[])[];
  readonly sums: { readonly before: readonly Pair[]; readonly total: Pair; readonly after: readonly Pair[] };
  readonly notes: readonly string[];
}

const COLUMNS: readonly Column[] = [
  { title: "Description", share: 7 },
  { title: "Quantity", share: 2, align: "right" },
  { title: "Amount", share: 3, align: "right" },
];

/** Seller and title, buyer and facts, lines, sums, small print: from the top, over as many pages as it needs. */
export function drawInvoice(page: Page, invoice: Invoice): void {
  const { title, seller, buyer, facts, rows, sums, notes } = invoice;
  const half = widthOf(page) / 2 - 10;
  const right = MARGIN + widthOf(page) / 2 + 10;
  page.font("bold").fontSize(SIZES.large).fillColor(COLOURS.text);
  write(page, title, MARGIN, MARGIN, { width: half });
  const sellerEnd = drawParty(page, null, seller, right, MARGIN, half);
  const top = Math.max(page.y, sellerEnd, MARGIN + 40) + 24;
  const buyerEnd = drawParty(page, "To", buyer, MARGIN, top, half);
  const factsEnd = drawFacts(page, facts, right, top, half);
  const rowsEnd = drawRows(page, COLUMNS, rows, Math.max(buyerEnd, factsEnd) + 24);
  const sumsEnd = drawSums(page, sums, rowsEnd + 10);
  drawNotes(page, notes, sumsEnd + 24);
}

/** Names and lines of addresses are cut after a few lines. */
const NAME_HEIGHT = 36;

/** Returns where it ends. */
function drawParty(
  page: Page,
  label: string | null,
  { name, lines, taxId }: Party,
  x: number,
  y: number,
  width: number,
): number {
  let top = y;
  const put = (text: string) => {
    write(page, text, x, top, { width, height: NAME_HEIGHT, ellipsis: true });
    top = page.y + 1;
  };
  if (label !== null) {
    page.font("regular").fontSize(SIZES.small).fillColor(COLOURS.faint);
    put(label);
  }
  page.font("bold").fontSize(SIZES.text).fillColor(COLOURS.text);
  put(name);
  page.font("regular");
  for (const line of lines) put(line);
  if (taxId !== undefined && taxId !== "") put(`Tax ID ${taxId}`);
  return top;
}

const FACT_LABEL = 95;
/** A fact takes a few lines at most. */
const FACT_HEIGHT = 60;

function drawFacts(page: Page, facts: readonly Pair[], x: number, y: number, width: number): number {
  let top = y;
  for (const [label, value] of facts) {
    page.font("regular").fontSize(SIZES.text).fillColor(COLOURS.faint);
    write(page, label, x, top, { width: FACT_LABEL });
    const labelEnd = page.y;
    page.fillColor(COLOURS.text);
    const space = { width: width - FACT_LABEL, height: FACT_HEIGHT, ellipsis: true };
    write(page, value, x + FACT_LABEL, top, space);
    top = Math.max(labelEnd, page.y) + 2;
  }
  return top;
}

/** Together on one page, at the right. */
function drawSums(page: Page, { before, total, after }: Invoice["sums"], y: number): number {
  const x = MARGIN + widthOf(page) / 2 + 10;
  const width = widthOf(page) / 2 - 10;
  const needed = (before.length + after.length) * 16 + 36;
  let top = y + needed > bottomOf(page) ? newPage(page) : y;
  const put = ([label, value]: Pair) => {
    write(page, label, x, top, { width: width * 0.6 });
    const labelEnd = page.y;
    write(page, value, x + width * 0.6, top, { width: width * 0.4, align: "right" });
    top = Math.max(labelEnd, page.y) + 4;
  };
  page.font("regular").fontSize(SIZES.text).fillColor(COLOURS.text);
  for (const pair of before) put(pair);
  page.font("bold").fontSize(SIZES.text + 2);
  top += 2;
  put(total);
  page.font("regular").fontSize(SIZES.small).fillColor(COLOURS.faint);
  for (const pair of after) put(pair);
  return drawLine(page, top + 4);
}

function drawNotes(page: Page, notes: readonly string[], y: number): void {
  const width = widthOf(page);
  page.font("regular").fontSize(SIZES.small).fillColor(COLOURS.faint);
  let top = y;
  for (const note of notes) {
    if (top + heightOf(page, note, width) > bottomOf(page)) top = newPage(page);
    write(page, note, MARGIN, top, { width });
    top = page.y + 4;
  }
}

function newPage(page: Page): number {
  page.addPage();
  return MARGIN;
}
