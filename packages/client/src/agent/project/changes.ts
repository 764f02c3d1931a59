import { toolFailure } from "@bursar/contract/agent/tool";
import { structuredPatch } from "diff";
import type { Approve } from "../approve.ts";
import { load, save } from "./file.ts";
import type { Place, Project, Refusal } from "./project.ts";
import type { Seen } from "./seen.ts";
import { type TextFile, writeParts, writeText } from "./text.ts";

/** One file that was written. */
export interface Change {
  readonly absolute: string;
  /** From the project's root, with forward slashes. */
  readonly path: string;
  /** null when there was no such file. */
  readonly before: Buffer | null;
  readonly after: Buffer;
}

/** Lines that were left out, put in, or stand around them, as in a patch: each begins with "-", "+" or " ". */
export interface Hunk {
  readonly oldStart: number;
  readonly newStart: number;
  readonly lines: readonly string[];
}

export interface ChangeDeps {
  readonly project: Project;
  readonly seen: Seen;
  readonly approve: Approve;
  /** Told before anything is written, so that a crash in between leaves something to go back to. */
  readonly beforeChange: (change: Change) => Promise<void>;
  /** Told afterwards, for showing; `hunks` is null when the two differ too much to compare. */
  readonly onChange: (change: Change, hunks: readonly Hunk[] | null) => void;
}

/** What to write, worked out from what is there (null: nothing yet). */
export type Edit = (
  file: TextFile | null,
  known: "same" | "changed" | "unread",
  path: string,
) => { readonly kind: "text"; readonly text: string; readonly isWhole: boolean } | Refused;

type Refused = { readonly kind: "refused"; readonly refusal: Refusal };

interface Changed {
  readonly path: string;
  readonly change: "created" | "changed" | "unchanged";
  readonly addedLines: number;
  readonly removedLines: number;
}

/** Reads a file, lets the edit decide, and writes the result in one step. Outcomes, first match wins: the refusals of
 *  the place, of the file and of the edit, then what changed. */
export async function changeFile(
  deps: ChangeDeps,
  path: string,
  edit: Edit,
  signal: AbortSignal,
): Promise<{ ok: true; output: Changed } | Refusal> {
  const place = await deps.project.locate(path);
  if (place.kind === "refused") return place.refusal;
  if (place.isSecret && !(await mayWriteSecret(deps, place, signal))) return secretRefusal(place.path);
  const loaded = await load(place);
  if (loaded.kind === "refused") return loaded.refusal;
  const before = loaded.kind === "loaded" ? loaded.bytes : null;
  const file = loaded.kind === "loaded" ? loaded.file : null;
  const known = before === null ? "same" : deps.seen.compare(place.absolute, before);
  const edited = edit(file, known, place.path);
  if (edited.kind === "refused") return edited.refusal;
  if (signal.aborted) return toolFailure("cancelled", "The run was cancelled before the file was written");
  return write(deps, place, before, bytesOf(edited, file));
}

function bytesOf(edited: { text: string; isWhole: boolean }, file: TextFile | null): Buffer {
  if (file === null) return Buffer.from(edited.text, "utf8");
  return edited.isWhole ? writeText(edited.text, file) : writeParts(edited.text, file);
}

async function write(deps: ChangeDeps, place: Place, before: Buffer | null, after: Buffer) {
  const { absolute, path } = place;
  if (before?.equals(after) === true) {
    deps.seen.note(absolute, after);
    return { ok: true, output: { path, change: "unchanged", addedLines: 0, removedLines: 0 } } as const;
  }
  const change: Change = { absolute, path, before, after };
  try {
    await deps.beforeChange(change);
    await save(absolute, after);
  } catch (error) {
    return toolFailure("failed", `${path} cannot be written: ${(error as Error).message}`);
  }
  deps.seen.note(absolute, after);
  const hunks = compare(before, after);
  deps.onChange(change, hunks);
  const kind = before === null ? "created" : "changed";
  return { ok: true, output: { path, change: kind, ...countLines(hunks, before, after) } } as const;
}

async function mayWriteSecret(deps: ChangeDeps, { path }: Place, signal: AbortSignal): Promise<boolean> {
  return deps.approve({ kind: "secret", path, purpose: "write" }, signal);
}

function secretRefusal(path: string): Refusal {
  return toolFailure("secret_file", `${path} may hold secrets, and the user did not allow writing it`);
}

/** Comparing takes time that grows with the number of differences. */
const MOST_DIFFERENCES = 2000;

function compare(before: Buffer | null, after: Buffer): Hunk[] | null {
  const old = before === null ? "" : before.toString("utf8").replaceAll("\r\n", "\n");
  const next = after.toString("utf8").replaceAll("\r\n", "\n");
  const options = { context: 3, maxEditLength: MOST_DIFFERENCES };
  const patch = structuredPatch("before", "after", old, next, undefined, undefined, options);
  return patch?.hunks.map(({ oldStart, newStart, lines }) => ({ oldStart, newStart, lines })) ?? null;
}

function countLines(hunks: readonly Hunk[] | null, before: Buffer | null, after: Buffer) {
  if (hunks === null) return { addedLines: linesIn(after), removedLines: linesIn(before) };
  const lines = hunks.flatMap((hunk) => hunk.lines);
  const count = (sign: string) => lines.filter((line) => line.startsWith(sign)).length;
  return { addedLines: count("+"), removedLines: count("-") };
}

function linesIn(bytes: Buffer | null): number {
  if (bytes === null || bytes.length === 0) return 0;
  return bytes.toString("utf8").split("\n").length;
}
