import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { type Instant, MICROSECONDS_PER_SECOND } from "@bursar/contract/instant";
import PdfKit from "pdfkit";

/** A TrueType or OpenType file each; the default has European scripts, and no Chinese, Japanese or Korean. */
export interface Fonts {
  readonly regular: string;
  readonly bold: string;
}

export interface DocumentFacts {
  readonly title: string;
  readonly author: string;
  /** Written into the file instead of the time of its making, so that the same document is the same bytes. */
  readonly at: Instant;
  readonly fonts?: Fonts | undefined;
}

export type Page = PDFKit.PDFDocument;

export const MARGIN = 56;
const FOOT_HEIGHT = 40;
export const COLOURS = { text: "#1d2129", faint: "#5f6773", line: "#d5d9e0" } as const;
export const SIZES = { small: 8, text: 9.5, large: 20 } as const;

/** Draws a document on A4 and returns its file. The foot stands on every page, with the page's number. */
export async function drawDocument(
  facts: DocumentFacts,
  foot: string,
  draw: (page: Page) => void,
): Promise<Buffer> {
  const { regular, bold } = await loadFonts(facts.fonts ?? DEFAULT_FONTS);
  const page = new PdfKit({
    size: "A4",
    margins: { top: MARGIN, left: MARGIN, right: MARGIN, bottom: MARGIN + FOOT_HEIGHT },
    bufferPages: true,
    lang: "en",
    displayTitle: true,
    // Nothing is drawn in one of the standard fonts.
    font: "",
    info: {
      Title: printable(facts.title),
      Author: printable(facts.author),
      Creator: "Bursar",
      Producer: "Bursar",
      CreationDate: new Date(Math.floor(facts.at / MICROSECONDS_PER_SECOND) * 1000),
    },
  });
  const file = collect(page);
  page.registerFont("regular", regular);
  page.registerFont("bold", bold);
  page.font("regular").fontSize(SIZES.text).fillColor(COLOURS.text);
  draw(page);
  drawFeet(page, foot);
  page.end();
  return file;
}

function collect(page: Page): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  page.on("data", (chunk: Buffer) => chunks.push(chunk));
  page.on("end", () => resolve(Buffer.concat(chunks)));
  page.on("error", reject);
  return promise;
}

function drawFeet(page: Page, foot: string): void {
  const { start, count } = page.bufferedPageRange();
  for (let index = 0; index < count; index++) {
    page.switchToPage(start + index);
    // Below the margin, where text would begin a new page.
    page.page.margins.bottom = 0;
    const y = page.page.height - MARGIN;
    page.font("regular").fontSize(SIZES.small).fillColor(COLOURS.faint);
    write(page, foot, MARGIN, y, { width: widthOf(page) - 80, height: 22, ellipsis: true });
    write(page, `${index + 1} / ${count}`, MARGIN, y, { width: widthOf(page), align: "right" });
  }
}

/** Between the margins. */
export function widthOf(page: Page): number {
  return page.page.width - 2 * MARGIN;
}

/** Where the foot begins. */
export function bottomOf(page: Page): number {
  return page.page.height - MARGIN - FOOT_HEIGHT;
}

/** Text that others wrote, at a place. */
export function write(
  page: Page,
  text: string,
  x: number,
  y: number,
  options: PDFKit.Mixins.TextOptions = {},
): void {
  page.text(printable(text), x, y, options);
}

export function heightOf(page: Page, text: string, width: number): number {
  return page.heightOfString(printable(text), { width });
}

/** Control characters draw nothing and could turn the direction of what follows; line ends stay. Characters that the
 *  font does not have are drawn as boxes. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, (character) => (character === "\n" ? "\n" : ""));
}

const require = createRequire(import.meta.url);

const DEFAULT_FONTS: Fonts = {
  regular: require.resolve("dejavu-fonts-ttf/ttf/DejaVuSans.ttf"),
  bold: require.resolve("dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf"),
};

const loaded = new Map<string, Buffer>();

async function loadFonts({ regular, bold }: Fonts): Promise<Record<keyof Fonts, Buffer>> {
  return { regular: await loadFont(regular), bold: await loadFont(bold) };
}

/** Kept: there are few, and every document needs them. Throws: it cannot be read. */
async function loadFont(path: string): Promise<Buffer> {
  const file = loaded.get(path) ?? (await readFile(path));
  loaded.set(path, file);
  return file;
}
