import { toolFailure } from "@bursar/contract/agent/tool";
import type { ToolInput } from "@bursar/contract/agent/tools";
import { load } from "../project/file.ts";
import type { Refusal } from "../project/project.ts";
import type { Handler, HostDeps } from "./host.ts";

/** Together, what still fits an answer and a model's context. */
const MOST_CHARACTERS = 1_000_000;

/** Each file answers for itself: one that is missing does not spoil the others. */
export const readFiles: Handler<"read_files"> = async (deps, { paths }: ToolInput<"read_files">, signal) => {
  const files = [];
  let room = MOST_CHARACTERS;
  for (const path of paths) {
    const read = await readOne(deps, path, signal);
    if (typeof read !== "string") files.push({ path, error: read.error.code, message: read.error.message });
    else if (read.length > room)
      files.push({ path, error: "file_too_large" as const, message: "Read fewer files in one call" });
    else files.push({ path, content: read });
    if (typeof read === "string") room -= Math.min(room, read.length);
  }
  return { ok: true, output: { files } };
};

async function readOne(deps: HostDeps, path: string, signal: AbortSignal): Promise<string | Refusal> {
  const place = await deps.project.locate(path);
  if (place.kind === "refused") return place.refusal;
  if (place.isSecret && !(await deps.approve({ kind: "secret", path: place.path, purpose: "read" }, signal)))
    return toolFailure("secret_file", `${path} may hold secrets, and the user did not allow reading it`);
  const loaded = await load(place);
  if (loaded.kind === "missing") return toolFailure("file_missing", `${path} does not exist`);
  if (loaded.kind === "refused") return loaded.refusal;
  deps.seen.note(place.absolute, loaded.bytes);
  return loaded.file.text;
}
