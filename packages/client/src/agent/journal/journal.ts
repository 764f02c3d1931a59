import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Change } from "../project/changes.ts";
import { save } from "../project/file.ts";
import { hashOf } from "../project/seen.ts";

/** One change that can be taken back. */
export interface Entry {
  readonly runId: string;
  readonly absolute: string;
  readonly path: string;
  /** base64; null when the change created the file. */
  readonly before: string | null;
  /** What the file was left as: only that is taken back. */
  readonly afterHash: string;
  readonly at: string;
}

export type Undone =
  | { readonly kind: "restored" | "removed" | "already"; readonly path: string }
  /** Somebody has written to it since: it stays as it is. */
  | { readonly kind: "changed"; readonly path: string };

export interface Journal {
  record(runId: string, change: Change, at: string): Promise<void>;
  /** The newest run that has changes left, newest change first; null when there is none. */
  last(): Promise<{ readonly runId: string; readonly entries: readonly Entry[] } | null>;
  /** Takes the changes of that run back, newest first. What was changed since is left alone, unless `force`. */
  undo(runId: string, force: boolean): Promise<readonly Undone[]>;
}

const KEPT_RUNS = 20;

/** Keeps, in a folder that only its user can read, what a project's files were before an agent changed them. */
export function openJournal(folder: string): Journal {
  return {
    record: async (runId, change, at) => {
      const runFolder = join(folder, runId);
      await mkdir(runFolder, { recursive: true, mode: 0o700 });
      const { absolute, path, before, after } = change;
      const entry: Entry = {
        ...{ runId, absolute, path, at },
        before: before?.toString("base64") ?? null,
        afterHash: hashOf(after),
      };
      const number = String((await namesIn(runFolder)).length).padStart(6, "0");
      const name = `${number}-${randomBytes(4).toString("hex")}.json`;
      // Whole or not at all: half an entry could not be read, and nothing before it taken back.
      const next = join(runFolder, `${name}.new`);
      await writeFile(next, JSON.stringify(entry), { mode: 0o600, flush: true });
      await rename(next, join(runFolder, name));
      if (number === "000000") await forgetOldRuns(folder);
    },
    last: async () => {
      for (const runId of (await namesIn(folder)).toReversed()) {
        const entries = await entriesOf(folder, runId);
        // One that ended in its first entry has changed nothing.
        if (entries.length > 0) return { runId, entries };
      }
      return null;
    },
    undo: async (runId, force) => {
      const undone: Undone[] = [];
      const entries = await entriesOf(folder, runId);
      // A file that was changed several times goes back to what it was before the first.
      const firsts = [...new Map(entries.map((entry) => [entry.absolute, entry])).values()];
      for (const first of firsts) {
        const newest = entries.find(({ absolute }) => absolute === first.absolute) ?? first;
        undone.push(await takeBack(first, newest.afterHash, force));
      }
      if (undone.every(({ kind }) => kind !== "changed")) await rm(join(folder, runId), { recursive: true });
      return undone;
    },
  };
}

async function takeBack(
  { absolute, path, before }: Entry,
  afterHash: string,
  force: boolean,
): Promise<Undone> {
  const now = await readFile(absolute).catch(() => null);
  const target = before === null ? null : Buffer.from(before, "base64");
  const isBack = target === null ? now === null : now?.equals(target) === true;
  if (isBack) return { kind: "already", path };
  if (!force && (now === null || hashOf(now) !== afterHash)) return { kind: "changed", path };
  if (target === null) {
    await rm(absolute, { force: true });
    return { kind: "removed", path };
  }
  await save(absolute, target);
  return { kind: "restored", path };
}

/** Newest first. */
async function entriesOf(folder: string, runId: string): Promise<Entry[]> {
  const names = (await namesIn(join(folder, runId))).filter((name) => name.endsWith(".json"));
  const texts = await Promise.all(names.map((name) => readFile(join(folder, runId, name), "utf8")));
  return texts.map((text) => JSON.parse(text) as Entry).toReversed();
}

async function forgetOldRuns(folder: string): Promise<void> {
  const runs = await namesIn(folder);
  const old = runs.slice(0, Math.max(0, runs.length - KEPT_RUNS));
  await Promise.all(old.map((run) => rm(join(folder, run), { recursive: true, force: true })));
}

/** Run ids begin with their time, so that the order of the names is the order of the runs. */
async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).toSorted((a, b) => (a < b ? -1 : 1));
}
