import type { Dirent } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import ignore, { type Ignore } from "ignore";
import { isSecret } from "../project/secrets.ts";

interface Rules {
  /** The folder that the rules stand in, with a slash at its end; empty for the root. */
  readonly folder: string;
  readonly rules: Ignore;
}

/** Folders that are never a project's own text, ignored or not. */
const NEVER = new Set([".git", ".hg", ".svn", "node_modules", ".bursar"]);
const MOST_FILES = 200_000;

/** The project's files, without links, secrets and what .gitignore leaves out, in the order of their names. Paths are
 *  from the root, with forward slashes. Ends when the signal aborts. */
export async function* walk(root: string, start: string, signal: AbortSignal): AsyncGenerator<string> {
  let found = 0;
  for await (const path of walkFolder(root, start === "." ? "" : `${start}/`, [], signal)) {
    found += 1;
    if (found > MOST_FILES || signal.aborted) return;
    yield path;
  }
}

async function* walkFolder(
  root: string,
  folder: string,
  above: readonly Rules[],
  signal: AbortSignal,
): AsyncGenerator<string> {
  if (signal.aborted) return;
  const entries = await entriesOf(join(root, folder));
  const rules = entries.some(({ name }) => name === ".gitignore")
    ? [...above, await rulesOf(root, folder)]
    : above;
  for (const entry of entries) {
    const path = folder + entry.name;
    const isFolder = entry.isDirectory();
    if (NEVER.has(entry.name) || isSecret(path) || isIgnored(rules, isFolder ? `${path}/` : path)) continue;
    if (isFolder) yield* walkFolder(root, `${path}/`, rules, signal);
    else if (entry.isFile()) yield path;
  }
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function rulesOf(root: string, folder: string): Promise<Rules> {
  const text = await readFile(join(root, folder, ".gitignore"), "utf8").catch(() => "");
  return { folder, rules: ignore().add(text) };
}

/** The nearest file that has a rule about it decides. */
function isIgnored(all: readonly Rules[], path: string): boolean {
  for (const { folder, rules } of all.toReversed()) {
    const { ignored, unignored } = rules.test(path.slice(folder.length));
    if (ignored || unignored) return ignored;
  }
  return false;
}
