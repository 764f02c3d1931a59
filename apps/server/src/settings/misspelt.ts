import { SettingsError } from "./error.ts";

/** What `bursar` reads, beside the server's own settings. */
const OF_THE_COMMAND = ["BURSAR_API_KEY", "BURSAR_ACCOUNT", "BURSAR_ORGANIZATION"];

/** How far a name may be from one that there is, to be taken for it: short ones are near to everything. */
const allowed = (name: string) => (name.length < "BURSAR_SECRET".length ? 1 : 2);

/** A limit or a secret under a name that nobody reads is one that is not set, silently. Only names that are near to one
 *  of ours: what else begins with ours may be somebody's own.
 *  Throws: SettingsError with the name that is right. */
export function refuseMisspelt(names: readonly string[], settings: readonly string[]): void {
  const known = [...settings, ...OF_THE_COMMAND];
  for (const name of names) {
    if (!name.startsWith("BURSAR") || known.includes(name)) continue;
    const meant = known.find((other) => distance(bare(name), bare(other)) <= allowed(other));
    if (meant !== undefined) throw new SettingsError(`${name}: is no setting; ${meant} is one`);
  }
}

const bare = (name: string) => name.replaceAll("_", "");

/** The fewest letters to add, drop or change. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [index, letter] of from.split("").entries()) {
    const next = [index + 1];
    for (let column = 1; column <= to.length; column++) {
      const change = row[column - 1]! + (letter === to[column - 1] ? 0 : 1);
      next.push(Math.min(change, row[column]! + 1, next[column - 1]! + 1));
    }
    row = next;
  }
  return row.at(-1)!;
}
