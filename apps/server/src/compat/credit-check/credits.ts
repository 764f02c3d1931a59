import { ID_PATTERN, newOperationId, reservedStart } from "@bursar/contract/ids";
import { formatInstant } from "@bursar/contract/instant";
import { type Balance, balance } from "@bursar/engine/balance/balance";
import { charge } from "@bursar/engine/charge/charge";
import { check } from "@bursar/engine/gate/check";
import { priceCost } from "@bursar/engine/price/work";
import { ruleAgainst } from "../../rest/reserved.ts";
import { numberOf, positiveCreditsOf, tokensOf } from "./amounts.ts";
import type { CreditCheckDeps } from "./deps.ts";
import { isModelId, message, words } from "./fields.ts";
import { costOfTokens, pricedModel } from "./pricing.ts";
import { refused } from "./refusals.ts";
import type { Route, RouteCall } from "./route.ts";

const LONGEST_DESCRIPTION = 1000;
const NO = { sufficient: false, hasSufficientCredits: false } as const;

/** What a person asks about their own credits. */
export function creditRoutes(deps: CreditCheckDeps): Route[] {
  const own = (method: Route["method"], path: string, handle: Route["handle"]): Route => {
    return { method, path: `/api/credits${path}`, access: "person", handle };
  };
  return [
    own("get", "/balance", ({ person }) => ownBalance(deps, person!.accountId)),
    own("get", "/total-balance", async ({ person }) => {
      const found = await balance(deps, person!.accountId);
      return Response.json({ totalCredits: numberOf(found?.available ?? 0n) });
    }),
    { ...own("post", "/check", (call) => checkCredits(deps, call)), onUnavailable: NO },
    own("post", "/calculate", (call) => calculate(deps, call)),
    own("post", "/deduct", (call) => deduct(deps, call)),
  ];
}

async function ownBalance(deps: CreditCheckDeps, accountId: Balance["accountId"]): Promise<Response> {
  return Response.json(balanceAnswer(await balance(deps, accountId)));
}

/** Soonest expiry first; what never expires last. */
export function balanceAnswer(found: Balance | null) {
  const grants = [...(found?.grants ?? [])].sort(
    (a, b) => (a.expiresAt ?? Number.MAX_SAFE_INTEGER) - (b.expiresAt ?? Number.MAX_SAFE_INTEGER),
  );
  return {
    totalCredits: numberOf(found?.available ?? 0n),
    activeAllocations: grants.map(({ id, remaining, expiresAt, allocatedAt }) => ({
      id,
      credits: numberOf(remaining),
      expiresAt: expiresAt === null ? null : formatInstant(expiresAt),
      allocatedAt: formatInstant(allocatedAt),
    })),
  };
}

async function checkCredits(deps: CreditCheckDeps, { person, body }: RouteCall): Promise<Response> {
  const asked = body.credits ?? body.requiredCredits;
  const amount = positiveCreditsOf(asked);
  if (amount === null) return message(400, "credits: must be a positive number with at most 6 decimals");
  const outcome = await check(deps, { accountId: person!.accountId, work: { kind: "amount", amount } });
  if (outcome.kind !== "checked" || !outcome.allowed)
    return Response.json({ ...NO, message: "Insufficient credits" });
  const credits = numberOf(outcome.available);
  return Response.json({
    sufficient: true,
    hasSufficientCredits: true,
    credits,
    requiredCredits: numberOf(amount),
  });
}

async function calculate(deps: CreditCheckDeps, { body }: RouteCall): Promise<Response> {
  const { modelId } = body;
  if (!isModelId(modelId)) return message(400, "modelId: must be a model's id");
  const tokens = tokensOf(body.tokens);
  if (tokens === null || tokens === 0) return message(400, "tokens: must be a positive whole number");
  const book = await deps.prices.current();
  const priced = priceCost(book, costOfTokens(pricedModel(book, modelId), tokens));
  if (priced.kind !== "priced") return refused(priced);
  const credits = numberOf(priced.amount);
  return Response.json({ modelId, tokens, credits, requiredCredits: credits });
}

async function deduct(
  deps: CreditCheckDeps,
  { person, body, context, requestId }: RouteCall,
): Promise<Response> {
  const amount = positiveCreditsOf(body.credits);
  if (amount === null) return message(400, "credits: must be a positive number with at most 6 decimals");
  const id = idempotencyOf({ body, context }) ?? newOperationId();
  const wrong = wrongWithOwnId(id);
  if (wrong !== null) return message(400, wrong);
  const description = words(body.description ?? body.reason, LONGEST_DESCRIPTION);
  const outcome = await charge(deps, {
    accountId: person!.accountId,
    id,
    cost: { kind: "amount", amount },
    by: `user:${person!.id}`,
    requestId,
    ...(description === null ? {} : { metadata: { description } }),
  });
  if (outcome.kind !== "charged") return refused(outcome);
  return Response.json({
    message: "Credits deducted",
    success: true,
    id,
    credits: numberOf(outcome.charged),
    remainingCredits: numberOf(outcome.available),
  });
}

export const ID_RULE = "Idempotency-Key: must be 1 to 128 letters, digits or . _ : @ / + -";

/** What is wrong with an id that a person has chosen for work of their own; null: nothing. */
export function wrongWithOwnId(id: string): string | null {
  if (!ID_PATTERN.test(id)) return ID_RULE;
  const start = reservedStart(id);
  return start === null ? null : `Idempotency-Key: ${ruleAgainst(start)}`;
}

/** The caller's own name for what must happen once: the header, or `id` in the body. */
export function idempotencyOf({ body, context }: Pick<RouteCall, "body" | "context">): string | undefined {
  const named = context.req.header("idempotency-key") ?? body.id;
  return typeof named === "string" ? named : undefined;
}
