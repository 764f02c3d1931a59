import { z } from "zod";
import { defineTool } from "../tool.ts";

export const endTurn = defineTool({
  name: "end_turn",
  side: "server",
  description:
    "Say that the task is done, or cannot be done. Write to the user first; nothing can be said afterwards.",
  input: z.strictObject({}),
  output: z.object({ turn: z.literal("ended") }),
});
