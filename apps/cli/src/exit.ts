import type { ERRORS, ErrorCode } from "@bursar/contract/errors";

/** What a script can rely on. These numbers never change their meaning. */
export const EXIT = {
  done: 0,
  refused: 1,
  usage: 2,
  notFound: 3,
  notAllowed: 4,
  unavailable: 5,
  bug: 70,
  interrupted: 130,
} as const;

export type ExitName = keyof typeof EXIT;

const MEANINGS: Record<ExitName, string> = {
  done: "done",
  refused: "refused: too few credits, a debt, a frozen account, a cap, a conflict; or verify found a problem",
  usage: "an argument, option or value is wrong",
  notFound: "the account, hold, grant, key, model, receipt, notice or mail does not exist",
  notAllowed: "the key is missing, wrong, revoked or expired, or not an admin key",
  unavailable: "no server answers, or it cannot answer now; trying again later may help",
  bug: "a bug, here or in the server",
  interrupted: "stopped by Ctrl-C; an agent also by SIGTERM or SIGHUP",
};

export function exitCodeTable(): string {
  const names = Object.keys(EXIT).filter((name): name is ExitName => name in MEANINGS);
  return names.map((name) => `  ${String(EXIT[name]).padEnd(5)}${MEANINGS[name]}`).join("\n");
}

type ErrorType = (typeof ERRORS)[ErrorCode]["type"];

const BY_TYPE: Record<ErrorType, ExitName> = {
  insufficient_credits: "refused",
  payment_error: "refused",
  conflict_error: "refused",
  invalid_request_error: "usage",
  not_found_error: "notFound",
  authentication_error: "notAllowed",
  permission_error: "notAllowed",
  rate_limit_error: "unavailable",
  upstream_error: "unavailable",
  unavailable_error: "unavailable",
  internal_error: "bug",
};

/** A frozen account is about its credits, not about the key. */
const BY_CODE: Partial<Record<ErrorCode, ExitName>> = { account_frozen: "refused" };

export function exitNameFor(error: { readonly code: string; readonly type: string }): ExitName {
  const byCode: Readonly<Record<string, ExitName>> = BY_CODE;
  const byType: Readonly<Record<string, ExitName>> = BY_TYPE;
  return byCode[error.code] ?? byType[error.type] ?? "unavailable";
}
