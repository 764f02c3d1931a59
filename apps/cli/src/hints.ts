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

const ACCOUNT_HINT = "Name the account with --account <id>, or set BURSAR_ACCOUNT.";

/** Lines to go below the server's message. */
export function hintsFor(error: BursarError, context: Context): string[] {
  const hints: Readonly<Record<string, string>> = HINTS;
  const hint = hints[error.code];
  return [
    ...(error.code === "invalid_request" && error.param === "accountId" ? [ACCOUNT_HINT] : []),
    ...(hint === undefined ? [] : [hint]),
    ...originHints(error, context),
    ...(error.requestId === null ? [] : [requestHint(error.code, error.requestId)]),
  ];
}

/** A refusal that was decided by the account's state has a receipt. */
const HAVE_RECEIPTS: ReadonlySet<string> = new Set<ErrorCode>([
  "insufficient_credits",
  "in_debt",
  "cap_exceeded",
  "parent_exhausted",
  "account_frozen",
]);

function requestHint(code: string, requestId: string): string {
  return HAVE_RECEIPTS.has(code) ? `Why: bursar explain ${requestId}` : `The request was ${requestId}`;
}

/** A wrong key or a wrong address: where did it come from? */
function originHints(error: BursarError, context: Context): string[] {
  const chosen = context.lastChosen();
  const matters = exitNameFor(error) === "notAllowed" || error.code === "unrecognised_answer";
  return matters && chosen !== undefined ? [originsOf(chosen)] : [];
}
