import { toolFailure } from "@bursar/contract/agent/tool";
import { changeFile, type Edit } from "../project/changes.ts";
import type { Handler } from "./host.ts";

/** A file that is there is only replaced as it was last read: what a person has written since is not lost. */
function replaceWith(text: string): Edit {
  return (file, known, path) => {
    if (file !== null && known === "unread")
      return {
        kind: "refused",
        refusal: toolFailure("file_not_read", `${path} exists: read it before you replace it`),
      };
    if (known === "changed")
      return {
        kind: "refused",
        refusal: toolFailure("file_changed", `${path} has changed since you read it: read it again`),
      };
    return { kind: "text", text, isWhole: true };
  };
}

export const writeFile: Handler<"write_file"> = (deps, { path, content }, signal) =>
  changeFile(deps, path, replaceWith(content), signal);

export const createPlan: Handler<"create_plan"> = (deps, { path, plan }, signal) =>
  changeFile(deps, path, replaceWith(plan), signal);
