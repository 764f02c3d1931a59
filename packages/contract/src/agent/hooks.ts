import { z } from "zod";

/** Of each of stdout and stderr; the middle of more is left out, and said to be. */
export const HOOK_OUTPUT_CHARACTERS = 10_000;
const HOOK_TIMEOUT_SECONDS = 60;
const LONGEST_HOOK_SECONDS = 600;

export const fileChangeHook = z.strictObject({
  name: z.string({ error: "must be a name" }).min(1, "must not be empty").max(100),
  command: z.string({ error: "must be a shell command" }).min(1, "must not be empty").max(10_000),
  cwd: z
    .string({ error: "must be a folder below the project's root" })
    .min(1)
    .max(1024)
    .optional()
    .describe("The folder to run in, from the project's root"),
  filePattern: z
    .string({ error: "must be a glob such as **/*.ts" })
    .min(1)
    .max(1024)
    .optional()
    .describe("Only when a changed file matches; a path from the project's root"),
  enabled: z.boolean({ error: "must be true or false" }).default(true),
  timeoutSeconds: z
    .number({ error: `must be a number of seconds from 1 to ${LONGEST_HOOK_SECONDS}` })
    .min(1, `must be a number of seconds from 1 to ${LONGEST_HOOK_SECONDS}`)
    .max(LONGEST_HOOK_SECONDS, `must be a number of seconds from 1 to ${LONGEST_HOOK_SECONDS}`)
    .default(HOOK_TIMEOUT_SECONDS),
});

export type FileChangeHook = z.output<typeof fileChangeHook>;

/** A project's own settings: `bursar.json`, else `codebuff.json`, whose other fields are not ours to judge. */
export const projectConfig = z.looseObject({
  fileChangeHooks: z.array(fileChangeHook, { error: "must be a list of hooks" }).max(100).default([]),
});

export const PROJECT_CONFIG_FILES = ["bursar.json", "codebuff.json"] as const;

export const hookResult = z.object({
  hookName: z.string(),
  command: z.string(),
  stdout: z.string(),
  stderr: z.string(),
  /** null when the hook was killed, could not be started, or was not approved; then `problem` says why. */
  exitCode: z.int().nullable(),
  durationMs: z.int(),
  problem: z.string().optional(),
});

export type HookResult = z.infer<typeof hookResult>;
