import type { ServerTool } from "./server-tool.ts";

/** The loop sees the call, and ends after the turn's other calls. */
export const endTurn: ServerTool<"end_turn"> = async () => ({ ok: true, output: { turn: "ended" } });
