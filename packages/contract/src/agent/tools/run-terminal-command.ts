import { z } from "zod";
import { defineTool, projectPath } from "../tool.ts";

export const runTerminalCommand = defineTool({
  name: "run_terminal_command",
  side: "client",
  description:
    "Run a shell command in the project and get what it printed. Nobody answers its questions: stdin is closed. The user may refuse it.",
  input: z.strictObject({
    command: z.string().min(1, "must not be empty").max(10_000),
    cwd: projectPath.optional().describe("A folder of the project; default: its root"),
    timeoutSeconds: z.int().min(1).max(600).optional().describe("Default 60"),
  }),
  output: z.object({
    command: z.string(),
    stdout: z.string(),
    stderr: z.string(),
    exitCode: z.int().nullable(),
    durationMs: z.int(),
    problem: z.string().optional(),
  }),
});
