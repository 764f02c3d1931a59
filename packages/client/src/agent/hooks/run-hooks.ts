import { type FileChangeHook, HOOK_OUTPUT_CHARACTERS, type HookResult } from "@bursar/contract/agent/hooks";
import { type ToolAnswer, toolFailure } from "@bursar/contract/agent/tool";
import type { ToolOutput } from "@bursar/contract/agent/tools";
import type { Approve } from "../approve.ts";
import { inThread } from "../in-thread.ts";
import { runCommand } from "../process/run-command.ts";
import type { Project } from "../project/project.ts";
import { readHookConfig } from "./config.ts";
import type { Matched, Matching } from "./match.ts";

const MATCHER = new URL("./matcher.ts", import.meta.url);

export interface HookDeps {
  readonly project: Project;
  readonly approve: Approve;
  readonly environment: NodeJS.ProcessEnv;
}

type HooksAnswer = ToolAnswer<ToolOutput<"run_file_change_hooks">>;

/** Runs, one after the other, the hooks that these changed files ask for. Each of them answers, also one that hangs,
 *  crashes, or cannot be started. Outcomes, first match wins: `config_invalid`, no results and why, results. */
export async function runHooks(
  deps: HookDeps,
  files: readonly string[],
  signal: AbortSignal,
): Promise<HooksAnswer> {
  const config = await readHookConfig(deps.project.root);
  if (config.kind === "invalid") return toolFailure("config_invalid", config.problems.join("\n"));
  if (config.kind === "none")
    return none("The project has no file change hooks: there is neither bursar.json nor codebuff.json");
  const paths = await pathsOf(deps.project, files);
  const matching: Matching = { hooks: config.hooks, paths };
  const matched = await inThread<Matched>(MATCHER, matching, signal);
  if (matched.kind === "failed") return toolFailure(signal.aborted ? "cancelled" : "failed", matched.message);
  const { hooks } = matched;
  if (hooks.length === 0) return none(whyNone(config.file, config.hooks, files));
  const results: HookResult[] = [];
  for (const hook of hooks) results.push(await runHook(deps, hook, signal));
  return { ok: true, output: { results } };
}

async function pathsOf(project: Project, files: readonly string[]): Promise<string[]> {
  const places = await Promise.all(files.map((file) => project.locate(file)));
  return places.filter((place) => place.kind === "place").map(({ path }) => path);
}

async function runHook(deps: HookDeps, hook: FileChangeHook, signal: AbortSignal): Promise<HookResult> {
  const { name, command, cwd = ".", timeoutSeconds } = hook;
  const notRun = (problem: string): HookResult => ({
    ...{ hookName: name, command, stdout: "", stderr: "" },
    ...{ exitCode: null, durationMs: 0, problem },
  });
  const place = await deps.project.locate(cwd);
  if (place.kind === "refused") return notRun(`its cwd is wrong: ${place.refusal.error.message}`);
  if (signal.aborted) return notRun("cancelled");
  const isApproved = await deps.approve({ kind: "hook", name, command, cwd: place.path }, signal);
  if (!isApproved) return notRun("the user did not allow this hook to run");
  const result = await runCommand({
    ...{ command, timeoutSeconds, signal },
    cwd: place.absolute,
    outputCharacters: HOOK_OUTPUT_CHARACTERS,
    environment: deps.environment,
  });
  return { hookName: name, command, ...result };
}

function none(message: string): HooksAnswer {
  return { ok: true, output: { results: [], message } };
}

function whyNone(file: string, hooks: readonly FileChangeHook[], files: readonly string[]): string {
  if (files.length === 0) return "No hook ran: no file was named";
  if (hooks.length === 0) return `No hook ran: ${file} has no fileChangeHooks`;
  return `No hook ran: none of those in ${file} is on and matches ${files.join(", ")}`;
}
