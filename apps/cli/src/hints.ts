import type { BursarError } from "@bursar/client/errors";
import type { ErrorCode } from "@bursar/contract/errors";
import { originsOf } from "./connection/connect.ts";
import type { Context } from "./context.ts";
import { exitNameFor } from "./exit.ts";

/** What to do about it, where there is something to do. */
const HINTS: Partial<Record<ErrorCode, string>> = {
  insufficient_credits: "Buy some: bursar buy. An admin gives some: bursar grant <amount>",
  in_debt: "What comes next pays the debt first: bursar buy, or an admin's bursar grant <amount>",
  account_frozen: "An admin lets it go on with: bursar accounts unfreeze <id> --reason <text>",
  account_unknown: "The accounts there are: bursar accounts",
  model_unknown: "The models with a price: bursar models",
  payment_method_unknown: "The saved payment methods: bursar payments methods",
  subscription_exists: "What it is, and how it stands: bursar subscription",
  organization_unknown: "Your organizations: bursar org",
  person_required: "Sign in: bursar login",
  member_unknown: "The members: bursar org members <organization>",
  invite_unknown: "The open invites: bursar org invites <organization>",
  request_unknown: "The requests: bursar org requests <organization>",
  run_unknown: "The open runs: bursar runs",
  gift_unknown: "The gift cards there are: bursar gift list",
  promo_unknown: "The promo codes there are: bursar promo list",
  grant_unknown: "The grants of an account: bursar balance",
  hold_closed: "What became of it: bursar explain <hold id>",
  key_unknown: "The keys there are: bursar keys",
  mail_unknown: "The mail there is: bursar mail",
  notice_unknown: "The notices there are: bursar notices",
  key_conflict: "The same id was used for something else before: choose another, or leave it out.",
  receipt_unknown: "Ids that can be explained are in the column REFERENCE of: bursar entries",
  admin_required:
    "Keys are given with BURSAR_API_KEY (an account's), BURSAR_ADMIN_KEY (an admin's) or --key.",
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
  ownerId: "That is the option --owner.",
  mode: "Give --target <credits>, or --amount <credits>.",
  dailyCap: "That is the option --daily-cap, in cents, or yen.",
  monthlyCap: "That is the option --monthly-cap, in cents, or yen.",
  cooldownSeconds: "That is the option --cooldown.",
  reason: "That is the option --reason.",
};

/** What to do about an error of this name, where there is something to do. */
export function hintFor(code: string): string | undefined {
  const hints: Readonly<Record<string, string>> = HINTS;
  return hints[code];
}

/** Lines to go below the server's message. */
export function hintsFor(error: BursarError, context: Context): string[] {
  const hint = hintFor(error.code);
  return [
    ...optionHint(error),
    ...secondStepHint(error, context),
    ...(hint === undefined ? [] : [hint]),
    ...originHints(error, context),
    ...requestHints(error),
  ];
}

function optionHint({ code, param }: BursarError): string[] {
  const isAboutOptions = code === "invalid_request" || code === "policy_refused";
  const hint = isAboutOptions ? OPTIONS[param ?? ""] : undefined;
  return hint === undefined ? [] : [hint];
}

function secondStepHint({ code }: BursarError, context: Context): string[] {
  if (code === "totp_refused") return ["Give the code with --totp <code>."];
  const url = context.lastChosen()?.url.value;
  if (code !== "totp_not_enabled" || url === undefined || !URL.canParse(url)) return [];
  return [`Switch it on in a browser: ${new URL("/second-factor", url).href}`];
}

/** What the receipt of a failure tells, where there is one: of what the account's state decided, and of work that was
 *  begun. */
const RECEIPT_TITLES: Readonly<Record<string, string>> = {
  insufficient_credits: "Why",
  in_debt: "Why",
  cap_exceeded: "Why",
  parent_exhausted: "Why",
  account_frozen: "Why",
  upstream_failed: "What it cost",
  upstream_timeout: "What it cost",
} satisfies Partial<Record<ErrorCode, string>>;

/** Where the arguments were wrong, there is nothing more to be found out. */
function requestHints(error: BursarError): string[] {
  const exit = exitNameFor(error);
  if (error.requestId === null || exit === "usage" || exit === "notFound") return [];
  const title = RECEIPT_TITLES[error.code];
  return [title === undefined ? `Request ${error.requestId}` : `${title}: bursar explain ${error.requestId}`];
}

/** A wrong key or a wrong address: where did it come from? */
function originHints(error: BursarError, context: Context): string[] {
  const chosen = context.lastChosen();
  const matters = exitNameFor(error) === "notAllowed" || error.code === "unrecognised_answer";
  if (!matters || chosen === undefined) return [];
  const again = chosen.signedIn !== undefined && error.code === "unauthenticated";
  return [originsOf(chosen), ...(again ? ["Sign in again: bursar login"] : [])];
}
