import { z } from "zod";
import { defineTool, projectPath, TOOL_ERRORS } from "../tool.ts";

export const readFiles = defineTool({
  name: "read_files",
  side: "client",
  description:
    "Read text files of the project, whole. Read a file before you overwrite it. Secrets and binary files are refused.",
  input: z.strictObject({ paths: z.array(projectPath).min(1).max(50) }),
  output: z.object({
    files: z.array(
      z.union([
        z.object({ path: z.string(), content: z.string() }),
        z.object({ path: z.string(), error: z.enum(TOOL_ERRORS), message: z.string() }),
      ]),
    ),
  }),
});
