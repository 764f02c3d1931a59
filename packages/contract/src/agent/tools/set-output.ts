import { z } from "zod";
import { defineTool } from "../tool.ts";

export const setOutput = defineTool({
  name: "set_output",
  side: "server",
  description: "Set what you report, as an object, to whoever asked you. Calling it again replaces it.",
  input: z.strictObject({ output: z.record(z.string().max(256), z.unknown()) }),
  output: z.object({ output: z.literal("set") }),
});
