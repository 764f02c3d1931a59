import { z } from "zod";
import { defineTool } from "../tool.ts";

export const findFiles = defineTool({
  name: "find_files",
  side: "client",
  description:
    "List the project's files whose path matches a glob, such as **/*.test.ts. Ignored files are left out.",
  input: z.strictObject({
    glob: z.string().min(1, "must not be empty").max(1000),
    maxResults: z.int().min(1).max(2000).optional().describe("Default 200"),
  }),
  output: z.object({ paths: z.array(z.string()), isCut: z.boolean() }),
});
