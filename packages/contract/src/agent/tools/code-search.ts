import { z } from "zod";
import { defineTool, projectPath } from "../tool.ts";

export const codeSearch = defineTool({
  name: "code_search",
  side: "client",
  description:
    "Search the project's text files for a regular expression, line by line. Ignored, secret and binary files are left out.",
  input: z.strictObject({
    pattern: z.string().min(1, "must not be empty").max(1000),
    glob: z.string().min(1).max(1000).optional().describe("Only files that match, such as src/**/*.ts"),
    cwd: projectPath.optional().describe("Only below this folder"),
    ignoreCase: z.boolean().optional(),
    maxResults: z.int().min(1).max(500).optional().describe("Default 100"),
  }),
  output: z.object({
    matches: z.array(z.object({ path: z.string(), line: z.int(), text: z.string() })),
    isCut: z.boolean(),
  }),
});
