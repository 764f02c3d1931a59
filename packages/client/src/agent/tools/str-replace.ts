import { type ToolErrorCode, toolFailure } from "@bursar/contract/agent/tool";
import type { ToolInput } from "@bursar/contract/agent/tools";
import { changeFile, type Edit } from "../project/changes.ts";
import { withLineEnd } from "../project/text.ts";
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
      const replaced = replaceOne(text, replacement, `replacements[${index}].old`, path);
      if (replaced.kind === "refused") return refused(replaced.code, replaced.message);
      text = replaced.text;
    }
    return { kind: "text", text, isWhole: false };
  };
}

/** As it is written first, then with the line ends of Windows: a model writes \n for both. */
function replaceOne(text: string, replacement: Replacement, field: string, path: string): Replaced {
  const windows = (part: string) => withLineEnd(part, "\r\n");
  const isWindows = !text.includes(replacement.old) && text.includes("\r\n");
  const old = isWindows ? windows(replacement.old) : replacement.old;
  const next = isWindows ? windows(replacement.new) : replacement.new;
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
  return { kind: "text", text: parts.join(next) };
}
