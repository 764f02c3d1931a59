import { z } from "zod";
import { hookResult } from "../hooks.ts";
import { defineTool, projectPath } from "../tool.ts";

export const runFileChangeHooks = defineTool({
  name: "run_file_change_hooks",
  side: "client",
  description:
    "Run the project's own checks (type check, tests, …) that its config file asks for when these files have changed.",
  input: z.strictObject({ files: z.array(projectPath).max(1000) }),
  output: z.object({
    results: z.array(hookResult),
    /** Says why there are none. */
    message: z.string().optional(),
  }),
});
