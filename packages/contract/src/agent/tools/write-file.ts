import { z } from "zod";
import { defineTool, projectPath } from "../tool.ts";

/** What a change of a file answers with: enough to show it, and to know whether it was one. */
export const fileChange = z.object({
  path: z.string(),
  change: z.enum(["created", "changed", "unchanged"]),
  addedLines: z.int(),
  removedLines: z.int(),
});

/** Longer files are written in parts, with str_replace. */
export const fileContent = z
  .string({ error: "must be the file's text" })
  .max(500_000, "must be at most 500,000 characters")
  .refine((text) => !text.includes("\u0000"), "must be text, without NUL");

export const writeFile = defineTool({
  name: "write_file",
  side: "client",
  changesFiles: true,
  description:
    "Create a text file of the project, or replace the whole of one that you have read. To change a part, use str_replace.",
  input: z.strictObject({ path: projectPath, content: fileContent }),
  output: fileChange,
});
