import type { ClientToolCall, ClientTools } from "@bursar/contract/agent/client-tools";
import { type ToolAnswer, toolFailure } from "@bursar/contract/agent/tool";
import { type ClientToolName, changesFiles, isClientTool, readInput } from "@bursar/contract/agent/tools";
import type { Approve } from "./approve.ts";
import { runHooks } from "./hooks/run-hooks.ts";
import type { Change, Hunk } from "./project/changes.ts";
import { openProject } from "./project/project.ts";
import { createSeen } from "./project/seen.ts";
import { codeSearch } from "./tools/code-search.ts";
import { findFiles } from "./tools/find-files.ts";
import type { Handler, HostDeps } from "./tools/host.ts";
import { readFiles } from "./tools/read-files.ts";
import { runTerminalCommand } from "./tools/run-terminal-command.ts";
import { strReplace } from "./tools/str-replace.ts";
import { createPlan, writeFile } from "./tools/write-file.ts";

export interface ProjectToolsOptions {
  /** The folder that the agent works in, and cannot leave. */
  readonly folder: string;
  readonly approve: Approve;
  readonly environment: NodeJS.ProcessEnv;
  /** Told before a file is written; when it throws, the file is not. */
  readonly beforeChange?: (change: Change) => Promise<void>;
  readonly onChange?: (change: Change, hunks: readonly Hunk[] | null) => void;
}

const HANDLERS: { readonly [Name in ClientToolName]: Handler<Name> } = {
  read_files: readFiles,
  write_file: writeFile,
  str_replace: strReplace,
  create_plan: createPlan,
  run_file_change_hooks: (deps, { files }, signal) => runHooks(deps, files, signal),
  run_terminal_command: runTerminalCommand,
  code_search: codeSearch,
  find_files: findFiles,
};

/** The tools of an agent that works in a folder of this machine. Calls that come in together are done together, but
 *  what writes files goes one after the other, and whatever came after it finds it on disk.
 *  Throws: the folder does not exist. */
export function createProjectTools(options: ProjectToolsOptions): ClientTools {
  const { folder, approve, environment } = options;
  const deps: HostDeps = {
    ...{ approve, environment },
    project: openProject(folder),
    seen: createSeen(),
    beforeChange: options.beforeChange ?? (async () => undefined),
    onChange: options.onChange ?? (() => undefined),
  };
  let written: Promise<unknown> = Promise.resolve();
  return {
    call: (call) => {
      const answer = written.then(() => withinTime(call, (signal) => handle(deps, call, signal)));
      if (changesFiles(call.toolName)) written = answer;
      return answer;
    },
  };
}

/** The call is over when its time is, or when it is cancelled, whatever it still does. */
async function withinTime(
  { signal, timeoutMs }: ClientToolCall,
  work: (signal: AbortSignal) => Promise<ToolAnswer>,
): Promise<ToolAnswer> {
  const over = AbortSignal.timeout(timeoutMs);
  const either = AbortSignal.any([signal, over]);
  const { promise, resolve } = Promise.withResolvers<ToolAnswer>();
  const stop = () => setTimeout(() => resolve(stopped(signal, timeoutMs)), WIND_UP_MILLISECONDS).unref();
  either.addEventListener("abort", stop, { once: true });
  if (either.aborted) return stopped(signal, timeoutMs);
  try {
    return await Promise.race([work(either), promise]);
  } catch (error) {
    return toolFailure("failed", error instanceof Error ? error.message : String(error));
  } finally {
    either.removeEventListener("abort", stop);
  }
}

/** What was stopped may still say what it had: a killed command, what it printed. */
const WIND_UP_MILLISECONDS = 2000;

function stopped(signal: AbortSignal, timeoutMs: number): ToolAnswer {
  if (signal.aborted) return toolFailure("cancelled", "The run was cancelled");
  return toolFailure("timed_out", `No answer within ${timeoutMs / 1000} seconds`);
}

async function handle(deps: HostDeps, call: ClientToolCall, signal: AbortSignal): Promise<ToolAnswer> {
  const { toolName, input } = call;
  if (!isClientTool(toolName))
    return toolFailure("tool_unknown", `There is no tool ${String(toolName)} here`);
  const checked = readInput(toolName, input);
  if (checked.kind === "invalid") return toolFailure("invalid_input", checked.message);
  // The input has just been read by the schema of this very tool.
  const handler = HANDLERS[toolName] as Handler<ClientToolName>;
  return handler(deps, checked.input, signal);
}
