import { z } from "zod";
import { defineTool, projectPath } from "../tool.ts";
import { fileChange, fileContent } from "./write-file.ts";

const replacement = z.strictObject({
  old: fileContent.min(1, "must not be empty").describe("Text exactly as it stands in the file"),
  new: fileContent.describe("What stands there afterwards"),
  all: z.boolean().optional().describe("Every occurrence; otherwise there must be exactly one"),
});

export const strReplace = defineTool({
  name: "str_replace",
  side: "client",
  changesFiles: true,
  description:
    "Replace texts in a file, one after the other. Each must occur exactly once unless all is true; all of them are done or none.",
  input: z.strictObject({ path: projectPath, replacements: z.array(replacement).min(1).max(100) }),
  output: fileChange,
});
