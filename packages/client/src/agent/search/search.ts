/** A search of the project's text for a pattern. */
export interface Search {
  readonly root: string;
  /** A folder from the root; "." for all. */
  readonly start: string;
  readonly pattern: string;
  readonly ignoreCase: boolean;
  readonly glob: string | undefined;
  readonly maxResults: number;
}

export interface Match {
  readonly path: string;
  readonly line: number;
  readonly text: string;
}

export type Found =
  | { readonly kind: "found"; readonly matches: readonly Match[]; readonly isCut: boolean }
  | { readonly kind: "invalid"; readonly message: string }
  | { readonly kind: "failed"; readonly message: string };

/** Of a line that matches, what is shown: enough to know it by. */
const LINE_CHARACTERS = 300;

export function shownLine(line: string): string {
  const text = line.trimEnd();
  if (text.length <= LINE_CHARACTERS) return text;
  // The cut may go through a character of two halves, and models' providers refuse a half.
  return `${text.slice(0, LINE_CHARACTERS).toWellFormed()}…`;
}
