import { newRequestId } from "@bursar/contract/ids";
import { credits } from "@bursar/contract/shapes";
import type { ServerAction } from "@bursar/contract/socket/server-messages";
import type { GateAnswer } from "@bursar/engine/gate/chain";
import { unexpected } from "../rest/unexpected.ts";
import type { RunEnd } from "./runner.ts";

type Ended = Exclude<RunEnd, { kind: "suspended" }>;

/** The last thing a client hears of a prompt. */
export function endOf(userInputId: string, end: Ended, remainingBalance: string): ServerAction {
  const cost = credits(end.cost);
  if (end.kind === "refused") {
    const { error, message } = end;
    return { type: "action-error", userInputId, error, message, remainingBalance, cost };
  }
  if (end.kind === "failed") {
    const { error, message } = end;
    return { type: "prompt-error", userInputId, error, message, cost };
  }
  const output = end.output as Extract<ServerAction, { type: "prompt-response" }>["output"];
  return { type: "prompt-response", userInputId, ended: end.how, output, cost };
}

export function refusedPrompt(
  userInputId: string,
  { error, message, remaining }: Pick<GateAnswer, "message" | "remaining"> & RefusedFor,
): ServerAction {
  const balance = remaining === null ? {} : { remainingBalance: credits(remaining) };
  return { type: "action-error", userInputId, error, message, ...balance };
}

interface RefusedFor {
  readonly error: GateAnswer["error"] | "prompt_repeated" | "unavailable";
}

/** The process that ran it has ended, and what it had done was too much to be kept. */
export function endedWithProcess(userInputId: string): ServerAction {
  const message =
    "The server restarted, and this prompt was too large to be gone on with; what it did is billed";
  return { type: "prompt-error", userInputId, error: "shutting_down", message };
}

export function brokenPrompt(
  { log }: Pick<Parameters<typeof unexpected>[0], "log">,
  userInputId: string,
  thrown: unknown,
): ServerAction {
  const { problem: error, message } = unexpected({ log }, thrown, newRequestId(), "socket prompt");
  return { type: "prompt-error", userInputId, error, message };
}
