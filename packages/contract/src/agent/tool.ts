import { z } from "zod";

/** Why a tool call gave nothing. The model reads the message and can do better; nobody has to be asked. */
export const TOOL_ERRORS = [
  "tool_unknown",
  "tool_not_allowed",
  "invalid_input",
  "outside_project",
  "secret_file",
  "file_missing",
  "not_a_file",
  "binary_file",
  "file_too_large",
  "file_not_read",
  "file_changed",
  "text_not_found",
  "text_ambiguous",
  "config_invalid",
  "not_approved",
  "timed_out",
  "cancelled",
  "unavailable",
  "failed",
] as const;

export type ToolErrorCode = (typeof TOOL_ERRORS)[number];

const toolError = z.object({ code: z.enum(TOOL_ERRORS), message: z.string() });

/** What comes back from a tool, as it crosses the wire: always a value, also for a call that was wrong. */
export const toolAnswer = z.discriminatedUnion("ok", [
  z.object({ ok: z.literal(true), output: z.json() }),
  z.object({ ok: z.literal(false), error: toolError }),
]);

export type ToolAnswer<Output = unknown> =
  | { readonly ok: true; readonly output: Output }
  | { readonly ok: false; readonly error: { readonly code: ToolErrorCode; readonly message: string } };

export function toolFailure(code: ToolErrorCode, message: string): Extract<ToolAnswer, { ok: false }> {
  return { ok: false, error: { code, message } };
}

/** One tool: what the model is told, what it may send, what it gets, and where the work is done. */
export interface Tool<Input extends z.ZodType = z.ZodType, Output extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly description: string;
  readonly input: Input;
  readonly output: Output;
  /** `client`: where the user's files are. `server`: where the agent runs. */
  readonly side: "client" | "server";
  /** True for those that write files: sent ahead of a turn's other calls, and awaited. */
  readonly changesFiles?: true;
}

/** Keeps the exact types of a tool's name, side and schemas. */
export function defineTool<const Defined extends Tool>(tool: Defined): Defined {
  return tool;
}

/** A path of a project: forward slashes, from the project's root. What it may reach, the client decides. */
export const projectPath = z
  .string({ error: "must be a path" })
  .min(1, "must not be empty")
  .max(1024, "must be at most 1024 characters")
  .refine((path) => !path.includes("\u0000"), "must not contain NUL");
