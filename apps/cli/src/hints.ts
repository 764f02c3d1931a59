import type { BursarError } from "@bursar/client/errors";
import type { ErrorCode } from "@bursar/contract/errors";
import { originsOf } from "./connection/connect.ts";
import type { Context } from "./context.ts";
import { exitNameFor } from "./exit.ts";

/** What to do about it, where there is something to do. */
const HINTS: Partial<Record<ErrorCode, string>> = {
  insufficient_credits: "Credits are added with: bursar grant <amount>",
  in_debt: "The next grant pays the debt first: bursar grant <amount>",
  account_frozen: "An admin lets it go on with: bursar accounts unfreeze <id> --reason <text>",
  account_unknown: "The accounts there are: bursar accounts",
  model_unknown: "The models with a price: bursar models",
  grant_unknown: "The grants of an account: bursar balance",
  hold_closed: "What became of it: bursar explain <hold id>",
  key_unknown: "The keys there are: bursar keys",
  key_conflict: "The same id was used for something else before: choose another, or leave it out.",
  receipt_unknown: "Ids that can be explained are in the column REFERENCE of: bursar entries",
  admin_required: "An admin key is given with BURSAR_ADMIN_KEY or --key.",
};

/** The API's fields whose options go by other names. */
const OPTIONS: Readonly<Record<string, string>> = {
  accountId: "Name the account with --account <id>, or set BURSAR_ACCOUNT.",
  inputTokens: "That is the option --input-tokens.",
  "usage.inputTokens": "That is the option --input-tokens.",
  "usage.cachedInputTokens": "That is the option --cached-input-tokens.",
  "usage.outputTokens": "That is the option --output-tokens.",
  "usage.model": "That is the option --model.",
  maxOutputTokens: "That is the option --max-output-tokens.",
  ttlSeconds: "That is the option --ttl.",
  parentId: "That is the option --parent.",
  capAmount: "That is the option --cap.",
  expiresAt: "That is the option --expires.",
};

/** Lines to go below the server's message. */
export function hintsFor(error: BursarError, context: Context): string[] {
  const hints: Readonly<Record<string, string>> = HINTS;
  const hint = hints[error.code];
  return [
    ...optionHint(error),
    ...(hint === undefined ? [] : [hint]),
    ...originHints(error, context),
    ...requestHints(error),
  ];
}

function optionHint({ code, param }: BursarError): string[] {
  const hint = code === "invalid_request" ? OPTIONS[param ?? ""] : undefined;
  return hint === undefined ? [] : [hint];
}

/** A refusal that was decided by the account's state has a receipt. */
const HAVE_RECEIPTS: ReadonlySet<string> = new Set<ErrorCode>([
  "insufficient_credits",
  "in_debt",
  "cap_exceeded",
  "parent_exhausted",
  "account_frozen",
]);

/** Where the arguments were wrong, there is nothing more to be found out. */
function requestHints(error: BursarError): string[] {
  const exit = exitNameFor(error);
  if (error.requestId === null || exit === "usage" || exit === "notFound") return [];
  return [
    HAVE_RECEIPTS.has(error.code) ? `Why: bursar explain ${error.requestId}` : `Request ${error.requestId}`,
  ];
}

/** A wrong key or a wrong address: where did it come from? */
function originHints(error: BursarError, context: Context): string[] {
  const chosen = context.lastChosen();
  const matters = exitNameFor(error) === "notAllowed" || error.code === "unrecognised_answer";
  return matters && chosen !== undefined ? [originsOf(chosen)] : [];
}
