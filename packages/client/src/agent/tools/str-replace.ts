import { type ToolErrorCode, toolFailure } from "@bursar/contract/agent/tool";
import type { ToolInput } from "@bursar/contract/agent/tools";
import { changeFile, type Edit } from "../project/changes.ts";
import { LARGEST_BYTES } from "../project/file.ts";
import { type TextFile, withLineEnd } from "../project/text.ts";
import type { Handler } from "./host.ts";

type Replacement = ToolInput<"str_replace">["replacements"][number];

type Replaced =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "refused"; readonly code: ToolErrorCode; readonly message: string };

/** All of the replacements, or none. A text that is found where it stands is right, whatever else has changed. */
export const strReplace: Handler<"str_replace"> = (deps, { path, replacements }, signal) =>
  changeFile(deps, path, replacing(replacements), signal);

function replacing(replacements: readonly Replacement[]): Edit {
  return (file, _known, path) => {
    const refused = (code: ToolErrorCode, message: string) =>
      ({ kind: "refused", refusal: toolFailure(code, message) }) as const;
    if (file === null) return refused("file_missing", `${path} does not exist: create it with write_file`);
    let { text } = file;
    for (const [index, replacement] of replacements.entries()) {
      const like = inLineEnds(replacement, { ...file, text });
      const replaced = replaceOne(text, like, `replacements[${index}].old`, path);
      if (replaced.kind === "refused") return refused(replaced.code, replaced.message);
      text = replaced.text;
    }
    return { kind: "text", text, isWhole: false };
  };
}

/** A model writes \n for the line ends of Windows, too: what it wants is looked for as it is written first, then with
 *  those; and what comes in its place has the line ends of what stood there, or else of the file. */
function inLineEnds(replacement: Replacement, { text, lineEnd }: TextFile): Replacement {
  const windows = (part: string) => withLineEnd(part, "\r\n");
  const { old, new: next } = replacement;
  const isThere = text.includes(old);
  if (!isThere && text.includes("\r\n")) return { ...replacement, old: windows(old), new: windows(next) };
  const isWindows = !/(?<!\r)\n/.test(old) && (old.includes("\r\n") || lineEnd === "\r\n");
  return isThere && isWindows ? { ...replacement, new: windows(next) } : replacement;
}

function replaceOne(text: string, replacement: Replacement, field: string, path: string): Replaced {
  const { old, new: next } = replacement;
  const parts = text.split(old);
  // One that begins within another is another all the same: nobody can tell which is meant.
  const isDoubled = text.includes(old, text.indexOf(old) + 1);
  const found = parts.length - 1;
  if (found === 0)
    return {
      kind: "refused",
      code: "text_not_found",
      message: `${field} does not occur in ${path}: read it again`,
    };
  if (isDoubled && replacement.all !== true)
    return {
      kind: "refused",
      code: "text_ambiguous",
      message: `${field} occurs ${found === 1 ? "twice, overlapping," : `${found} times`} in ${path}: give more of what is around it, or all: true`,
    };
  const length = text.length + found * (next.length - old.length);
  // A few words in the place of each letter are hundreds of megabytes.
  if (length > Math.max(text.length, LARGEST_BYTES))
    return {
      kind: "refused",
      code: "file_too_large",
      message: `${field} would make ${path} ${length} characters long; at most ${LARGEST_BYTES} can be read again`,
    };
  return { kind: "text", text: parts.join(next) };
}
