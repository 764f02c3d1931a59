import { z } from "zod";
import { errorCode } from "../errors.ts";

/** Errors that only the socket knows; all of REST v1 may occur as well. */
const ONLY_HERE = [
  "binary_refused",
  "not_identified",
  "session_refused",
  "topic_unknown",
  "topic_forbidden",
  "too_many_topics",
  "too_many_prompts",
  "prompt_unknown",
  "prompt_repeated",
  "prompt_cancelled",
  "request_unknown",
  "request_timed_out",
  "answer_too_large",
  "credential_ended",
  "auto_topup_failed",
  "auto_topup_disabled",
  "organization_insufficient_credits",
  "shutting_down",
] as const;

export const socketErrorName = z.union([errorCode, z.enum(ONLY_HERE)]);

export type SocketErrorName = z.infer<typeof socketErrorName>;

/** Why something was refused. `param` names the field at fault, where there is one. */
export const socketError = z.object({
  error: socketErrorName,
  message: z.string(),
  param: z.string().optional(),
});

export type SocketError = z.infer<typeof socketError>;
