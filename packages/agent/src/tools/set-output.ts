import type { ServerTool } from "./server-tool.ts";

export const setOutput: ServerTool<"set_output"> = async (_run, task, { output }) => {
  task.output = output;
  return { ok: true, output: { output: "set" } };
};
