/** What is written behind --day, --month and --total. */
export interface Caps {
  readonly day?: string;
  readonly month?: string;
  readonly total?: string;
}

/** As the API wants them: "none" lifts a cap, and what was not written stays. */
export function capsFrom(written: Caps): { -readonly [Window in keyof Caps]?: string | null } {
  const entries = Object.entries(written).filter(([window]) => ["day", "month", "total"].includes(window));
  return Object.fromEntries(entries.map(([window, text]) => [window, text === "none" ? null : text]));
}
