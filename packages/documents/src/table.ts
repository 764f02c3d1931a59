import {
  COLOURS,
  type DocumentFacts,
  drawDocument,
  heightOf,
  MARGIN,
  SIZES,
  widthOf,
  write,
} from "./page.ts";
import { type Column, drawRows } from "./rows.ts";

export interface TableDocument extends DocumentFacts {
  /** Below the title: whose it is, and of when. */
  readonly subtitle: string;
  readonly columns: readonly Column[];
  /** A text for each column. */
  readonly rows: readonly (readonly string[])[];
}

/** A table over as many pages as it needs. The same table is the same bytes. */
export function tablePdf(document: TableDocument): Promise<Buffer> {
  const { title, subtitle, author, columns, rows } = document;
  return drawDocument(document, author, (page) => {
    const width = widthOf(page);
    page.font("bold").fontSize(SIZES.large);
    write(page, title, MARGIN, MARGIN, { width });
    page.font("regular").fontSize(SIZES.text).fillColor(COLOURS.faint);
    write(page, subtitle, MARGIN, page.y + 4, { width });
    const top = page.y + heightOf(page, " ", width);
    drawRows(page, columns, rows, top);
  });
}
