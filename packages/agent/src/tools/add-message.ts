import type { ServerTool } from "./server-tool.ts";

export const addMessage: ServerTool<"add_message"> = async (_run, task, { role, content }) => {
  task.added.push({ role, content });
  return { ok: true, output: { message: "added" } };
};
