import type { BursarError, BursarUnreachable } from "@bursar/client/errors";
import type { SocketRefused } from "@bursar/client/socket/errors";
import { ERRORS } from "@bursar/contract/errors";
import { printable } from "./agent/diff.ts";
import { unreachableHints } from "./connection/connect.ts";
import type { Context } from "./context.ts";
import { type ExitName, exitNameFor } from "./exit.ts";
import { Failure } from "./failure.ts";
import { hintFor, hintsFor } from "./hints.ts";
import { indent } from "./output/table.ts";

/** A failure as it is shown: for people as a message and hints, for programs in the shape of the API's errors. */
export interface Report {
  readonly exit: ExitName;
  readonly message: string;
  readonly hints: readonly string[];
  readonly body: object;
}

/** Makes an explanation of whatever a command threw. */
export function reportOf(thrown: unknown, context: Context): Report {
  if (thrown instanceof Failure) return failureReport(thrown);
  if (isRefusal(thrown)) return refusalReport(thrown, context);
  if (isSilence(thrown)) return silenceReport(thrown, context);
  if (isSocketRefusal(thrown)) return socketReport(thrown);
  return bugReport(thrown);
}

export function printReport({ body, message, hints }: Report, context: Context): void {
  const { paint } = context.look(process.stderr);
  const lines = [`${paint.red("error:")} ${printable(message)}`, ...hints.map((hint) => indent(hint))];
  const text = context.isJson() ? JSON.stringify(body, null, 2) : lines.join("\n");
  process.stderr.write(`${text}\n`);
}

/** By name, not by class: the client is loaded only by commands that use it. */
function isRefusal(thrown: unknown): thrown is BursarError {
  return thrown instanceof Error && thrown.name === "BursarError";
}

function isSilence(thrown: unknown): thrown is BursarUnreachable {
  return thrown instanceof Error && thrown.name === "BursarUnreachable";
}

function isSocketRefusal(thrown: unknown): thrown is SocketRefused {
  return thrown instanceof Error && thrown.name === "SocketRefused";
}

function failureReport({ exit, code, message, hints }: Failure): Report {
  return { exit, message, hints, body: bodyOf(exit, code, message) };
}

function refusalReport(error: BursarError, context: Context): Report {
  const { message, param } = error;
  return {
    exit: exitNameFor(error),
    message: sentence(message, param),
    hints: hintsFor(error, context),
    body: error.toJSON(),
  };
}

function socketReport({ code, message, param, remainingBalance }: SocketRefused): Report {
  const known: Readonly<Record<string, { readonly type: string }>> = ERRORS;
  const type = known[code]?.type ?? SOCKET_TYPES[code] ?? "unavailable_error";
  const exit = exitNameFor({ code, type });
  const hint = hintFor(code);
  const left = remainingBalance === null ? {} : { available: remainingBalance };
  return {
    ...{ exit, message: sentence(message, param?.replace(/^data\./, "") ?? null) },
    hints: hint === undefined ? [] : [hint],
    body: { error: { type, code, message, param, requestId: null, ...left } },
  };
}

/** Of the errors that only the socket knows. */
const SOCKET_TYPES: Readonly<Record<string, string>> = {
  auto_topup_failed: "insufficient_credits",
  auto_topup_disabled: "insufficient_credits",
  organization_insufficient_credits: "insufficient_credits",
  organization_unknown: "not_found_error",
  prompt_repeated: "conflict_error",
  too_many_prompts: "rate_limit_error",
  credential_ended: "authentication_error",
};

/** The server's messages about a field are a sentence of their own, or go on after its name: "must be …". */
function sentence(message: string, param: string | null): string {
  const isWhole = param === null || /^[A-Z]/.test(message) || message.startsWith(`${param}:`);
  return isWhole ? message : `${param}: ${message}`;
}

function silenceReport(error: BursarUnreachable, context: Context): Report {
  const { message } = error;
  const chosen = context.lastChosen();
  const hints =
    chosen === undefined ? [] : unreachableHints(chosen, context.sandbox()?.path, context.repository);
  return {
    exit: "unavailable",
    message,
    hints: [...hints, ...repeatHint(error)],
    body: bodyOf("unavailable", "unavailable", message),
  };
}

/** After a lost answer nobody knows whether it was done; after a refused connection it surely was not. */
function repeatHint({ reason, operationId }: BursarUnreachable): string[] {
  const isOpen = reason === "timeout" || reason === "connection_lost";
  if (!isOpen || operationId === undefined) return [];
  return [`Whether it was done is unknown. Repeat it with --id ${operationId}, and it is done once.`];
}

function bugReport(thrown: unknown): Report {
  const stack = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  const message = "This is a bug in bursar, not something you did wrong.";
  return { exit: "bug", message, hints: stack.split("\n"), body: bodyOf("bug", "internal", stack) };
}

const TYPES: Record<ExitName, string> = {
  done: "internal_error",
  refused: "conflict_error",
  usage: "invalid_request_error",
  notFound: "not_found_error",
  notAllowed: "authentication_error",
  unavailable: "unavailable_error",
  bug: "internal_error",
  interrupted: "interrupted",
};

/** Without a request there is no request id. */
function bodyOf(exit: ExitName, code: string, message: string): object {
  return { error: { type: TYPES[exit], code, message, param: null, requestId: null } };
}
