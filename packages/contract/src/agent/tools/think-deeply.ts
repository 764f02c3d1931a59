import { z } from "zod";
import { defineTool } from "../tool.ts";

export const thinkDeeply = defineTool({
  name: "think_deeply",
  side: "server",
  description: "Think through something hard before you act. Nobody else reads it.",
  input: z.strictObject({ thought: z.string().min(1).max(100_000) }),
  output: z.object({ thought: z.literal("kept") }),
});
