import type { Change, Hunk } from "@bursar/client/agent/project/changes";
import type { Paint } from "../output/paint.ts";

/** More is not read anyway; the file itself shows all. */
const MOST_LINES = 60;

/** One change of a file, for people: what was left out, what was put in, and the lines around it. */
export function diffText({ path, before }: Change, hunks: readonly Hunk[] | null, paint: Paint): string {
  const title = paint.bold(`${before === null ? "+ new" : "~"} ${printable(path)}`);
  if (hunks === null) return `${title}\n${paint.dim("  (too different to show line by line)")}`;
  const lines = hunks.flatMap((hunk) => [
    paint.dim(`  @@ line ${hunk.newStart}`),
    ...hunk.lines.map((line) => shown(line, paint)),
  ]);
  const left = lines.length - MOST_LINES;
  const rest = left > 0 ? [paint.dim(`  … ${left} more lines`)] : [];
  return [title, ...lines.slice(0, MOST_LINES), ...rest].join("\n");
}

function shown(line: string, paint: Paint): string {
  const text = `  ${printable(line)}`;
  if (line.startsWith("+")) return paint.green(text);
  if (line.startsWith("-")) return paint.red(text);
  return text;
}

/** A file, or a model, must not steer the terminal, nor turn round what stands there. Nothing is left out: who is asked
 *  about a command must see all of it, also what looks like a sequence of the terminal. */
export function printable(text: string): string {
  return text.replace(STEERING, "\uFFFD");
}

// oxlint-disable-next-line no-control-regex -- these are exactly what must not reach the terminal
const STEERING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;
