/** A text file's own way of writing: kept when an agent, which writes \n, changes it. */
export interface TextFile {
  /** As the agent sees it: without the mark at the beginning, with the line ends that are there. */
  readonly text: string;
  readonly hasMark: boolean;
  readonly lineEnd: "\n" | "\r\n";
}

const MARK = "\uFEFF";
/** Where a NUL that makes a file binary is looked for. */
const LOOKED_AT_BYTES = 65_536;

/** null for a binary file: one with a NUL, or that is not UTF-8. */
export function readText(bytes: Uint8Array): TextFile | null {
  if (bytes.subarray(0, LOOKED_AT_BYTES).includes(0)) return null;
  let whole: string;
  try {
    whole = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
  if (whole.includes("\u0000")) return null;
  const hasMark = whole.startsWith(MARK);
  const text = hasMark ? whole.slice(1) : whole;
  return { text, hasMark, lineEnd: lineEndOf(text) };
}

/** The bytes of a whole new text for a file that was written so. */
export function writeText(text: string, like: Pick<TextFile, "hasMark" | "lineEnd">): Buffer {
  return Buffer.from(withMark(withLineEnd(text, like.lineEnd), like.hasMark), "utf8");
}

/** The bytes of a text in which only parts were changed: its other line ends stay as they were, also mixed ones. */
export function writeParts(text: string, { hasMark }: Pick<TextFile, "hasMark">): Buffer {
  return Buffer.from(withMark(text, hasMark), "utf8");
}

export function withLineEnd(text: string, lineEnd: TextFile["lineEnd"]): string {
  return lineEnd === "\n" ? text : text.replace(/\r?\n/g, lineEnd);
}

function withMark(text: string, hasMark: boolean): string {
  return hasMark && !text.startsWith(MARK) ? MARK + text : text;
}

function lineEndOf(text: string): TextFile["lineEnd"] {
  const all = text.split("\n").length - 1;
  const windows = text.split("\r\n").length - 1;
  return windows > all / 2 ? "\r\n" : "\n";
}
