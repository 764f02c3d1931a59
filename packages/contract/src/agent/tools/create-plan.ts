import { z } from "zod";
import { defineTool, projectPath } from "../tool.ts";
import { fileChange, fileContent } from "./write-file.ts";

export const createPlan = defineTool({
  name: "create_plan",
  side: "client",
  changesFiles: true,
  description:
    "Write a plan for a large task into a Markdown file of the project, for the user to read before the work begins.",
  input: z.strictObject({
    path: projectPath.refine((path) => path.endsWith(".md"), "must end in .md"),
    plan: fileContent.min(1, "must not be empty"),
  }),
  output: fileChange,
});
