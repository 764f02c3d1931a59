import { z } from "zod";
import { defineTool } from "../tool.ts";

export const addMessage = defineTool({
  name: "add_message",
  side: "server",
  description:
    "Put a message into your own conversation, read at the next step: a reminder that must not be lost.",
  input: z.strictObject({
    role: z.enum(["user", "assistant"]),
    content: z.string().min(1).max(100_000),
  }),
  output: z.object({ message: z.literal("added") }),
});
