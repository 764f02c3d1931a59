import { toolFailure } from "@bursar/contract/agent/tool";
import { runCommand } from "../process/run-command.ts";
import type { Handler } from "./host.ts";

const DEFAULT_SECONDS = 60;
/** Of each of stdout and stderr. */
const OUTPUT_CHARACTERS = 30_000;

export const runTerminalCommand: Handler<"run_terminal_command"> = async (deps, input, signal) => {
  const { command, cwd = ".", timeoutSeconds = DEFAULT_SECONDS } = input;
  const place = await deps.project.locate(cwd);
  if (place.kind === "refused") return place.refusal;
  if (!(await deps.approve({ kind: "command", command, cwd: place.path }, signal)))
    return toolFailure("not_approved", `The user did not allow this command: ${command}`);
  const result = await runCommand({
    ...{ command, timeoutSeconds, signal },
    cwd: place.absolute,
    outputCharacters: OUTPUT_CHARACTERS,
    environment: deps.environment,
  });
  return { ok: true, output: { command, ...result } };
};
