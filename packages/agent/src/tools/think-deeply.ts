import type { ServerTool } from "./server-tool.ts";

/** The thought is in the conversation already; there is nothing to do. */
export const thinkDeeply: ServerTool<"think_deeply"> = async () => ({
  ok: true,
  output: { thought: "kept" },
});
