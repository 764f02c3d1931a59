import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import picomatch from "picomatch";
import { readText } from "../project/text.ts";
import { type Found, type Match, type Search, shownLine } from "./search.ts";
import { walk } from "./walk.ts";

/** Runs in a thread of its own: a pattern can take for ever on a line, and then the thread is ended. */
const LARGEST_BYTES = 1_000_000;

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort?.postMessage(await search(workerData as Search));

async function search({ root, start, pattern, ignoreCase, glob, maxResults }: Search): Promise<Found> {
  let regex: RegExp;
  try {
    regex = new RegExp(pattern, ignoreCase ? "iu" : "u");
  } catch (error) {
    return { kind: "invalid", message: (error as Error).message };
  }
  const isWanted =
    glob === undefined ? () => true : picomatch(glob, { dot: true, basename: !glob.includes("/") });
  const matches: Match[] = [];
  for await (const path of walk(root, start, new AbortController().signal)) {
    if (!isWanted(path)) continue;
    for (const match of await matchesIn(root, path, regex)) {
      if (matches.length === maxResults) return { kind: "found", matches, isCut: true };
      matches.push(match);
    }
  }
  return { kind: "found", matches, isCut: false };
}

async function matchesIn(root: string, path: string, regex: RegExp): Promise<Match[]> {
  const absolute = join(root, path);
  const facts = await stat(absolute).catch(() => null);
  if (facts === null || facts.size > LARGEST_BYTES) return [];
  const file = readText(await readFile(absolute).catch(() => Buffer.alloc(0)));
  if (file === null) return [];
  return file.text
    .split(/\r?\n/)
    .map((line, index) => ({ path, line: index + 1, text: line }))
    .filter(({ text }) => regex.test(text))
    .map((match) => ({ ...match, text: shownLine(match.text) }));
}
