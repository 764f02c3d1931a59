import { newOperationId } from "@bursar/contract/ids";
import { addSeconds, formatInstant, type Instant, parseInstant } from "@bursar/contract/instant";
import { withSnapshot } from "@bursar/database/transaction";
import { charge } from "@bursar/engine/charge/charge";
import { type UsageGroup, usageBetween, usageOfAll } from "@bursar/engine/usage/store";
import { numberOf, tokensOf } from "./amounts.ts";
import { idempotencyOf, wrongWithOwnId } from "./credits.ts";
import type { CreditCheckDeps } from "./deps.ts";
import { type FieldProblem, isFieldProblem, isModelId, message, words } from "./fields.ts";
import { pricedModel } from "./pricing.ts";
import { refused } from "./refusals.ts";
import type { Route, RouteCall } from "./route.ts";

const LONGEST_OPERATION = 64;
const THIRTY_DAYS_SECONDS = 30 * 86_400;

export function usageRoutes(deps: CreditCheckDeps): Route[] {
  return [
    { method: "post", path: "/api/usage/record", access: "person", handle: (call) => record(deps, call) },
    { method: "get", path: "/api/usage/stats", access: "person", handle: (call) => stats(deps, call) },
    {
      method: "get",
      path: "/api/usage/system-stats",
      access: ["admin", "supervisor"],
      handle: (call) => systemStats(deps, call),
    },
  ];
}

/** Charges work that is done and was not a session: its tokens at the model's prices, once under its id. */
async function record(deps: CreditCheckDeps, call: RouteCall): Promise<Response> {
  const { body, person, requestId } = call;
  const { modelId } = body;
  if (!isModelId(modelId)) return message(400, "modelId: must be a model's id");
  const tokens = tokensIn(body);
  if (isFieldProblem(tokens)) return message(tokens.status, tokens.message);
  const id = idempotencyOf(call) ?? newOperationId();
  const wrong = wrongWithOwnId(id);
  if (wrong !== null) return message(400, wrong);
  const model = pricedModel(await deps.prices.current(), modelId);
  const outcome = await charge(deps, {
    ...{ accountId: person!.accountId, id, by: `user:${person!.id}`, requestId },
    cost: { kind: "usage", model, cachedInputTokens: 0, ...tokens },
    feature: words(body.operation, LONGEST_OPERATION) ?? undefined,
    metadata: { modelId },
  });
  if (outcome.kind !== "charged") return refused(outcome);
  const answer = {
    ...{ id, modelId, ...tokens },
    credits: numberOf(outcome.charged),
    remainingCredits: numberOf(outcome.available),
  };
  return Response.json(answer, { status: outcome.duplicate ? 200 : 201 });
}

/** Read and written apart, or together: then all of them at the price of written ones. */
function tokensIn(body: RouteCall["body"]): { inputTokens: number; outputTokens: number } | FieldProblem {
  const right = "must be a whole number from 0";
  if (body.tokens !== undefined) {
    const outputTokens = tokensOf(body.tokens);
    return outputTokens === null
      ? { status: 400, message: `tokens: ${right}` }
      : { inputTokens: 0, outputTokens };
  }
  const inputTokens = tokensOf(body.inputTokens);
  const outputTokens = tokensOf(body.outputTokens);
  if (inputTokens === null) return { status: 400, message: `inputTokens: ${right}, or send tokens` };
  return outputTokens === null
    ? { status: 400, message: `outputTokens: ${right}` }
    : { inputTokens, outputTokens };
}

async function stats(deps: CreditCheckDeps, { person, context }: RouteCall): Promise<Response> {
  const period = periodOf(deps, context.req.query());
  if (isFieldProblem(period)) return message(period.status, period.message);
  const { from, to } = period;
  const asked = { from, to, personId: null };
  const [byModel, byDay] = await withSnapshot(
    deps.pool,
    async (client) =>
      [
        await usageBetween(client, person!.accountId, { ...asked, grouping: "model" }),
        await usageBetween(client, person!.accountId, { ...asked, grouping: "day" }),
      ] as const,
  );
  return Response.json({ ...header(from, to), ...totals(byModel), ...groups(byModel, byDay) });
}

async function systemStats(deps: CreditCheckDeps, { context }: RouteCall): Promise<Response> {
  const period = periodOf(deps, context.req.query());
  if (isFieldProblem(period)) return message(period.status, period.message);
  const { from, to } = period;
  const [byModel, byDay] = await withSnapshot(
    deps.pool,
    async (client) =>
      [await usageOfAll(client, from, to, "model"), await usageOfAll(client, from, to, "day")] as const,
  );
  return Response.json({ ...header(from, to), ...totals(byModel), ...groups(byModel, byDay) });
}

/** `startDate` and `endDate`; the last 30 days where they are left out. */
function periodOf(
  { clock }: CreditCheckDeps,
  query: Record<string, string>,
): { from: Instant; to: Instant } | FieldProblem {
  const instantOf = (name: string) => {
    const text = query[name];
    if (text === undefined) return undefined;
    return parseInstant(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text);
  };
  const [start, end] = [instantOf("startDate"), instantOf("endDate")];
  const right = "must be a date, such as 2026-11-21 or 2026-11-21T12:00:00Z";
  if (start === null) return { status: 400, message: `startDate: ${right}` };
  if (end === null) return { status: 400, message: `endDate: ${right}` };
  const to = end ?? addSeconds(clock.now(), 1);
  return { from: start ?? addSeconds(to, -THIRTY_DAYS_SECONDS), to };
}

function header(from: Instant, to: Instant) {
  return { startDate: formatInstant(from), endDate: formatInstant(to) };
}

function totals(groups: readonly UsageGroup[]) {
  const sum = (value: (group: UsageGroup) => bigint) =>
    groups.reduce((total, group) => total + value(group), 0n);
  return {
    totalCredits: numberOf(sum((group) => group.amount)),
    totalRequests: Number(sum((group) => group.requests)),
    totalInputTokens: Number(sum((group) => group.inputTokens)),
    totalOutputTokens: Number(sum((group) => group.outputTokens)),
  };
}

function groups(byModel: readonly UsageGroup[], byDay: readonly UsageGroup[]) {
  const answer = (name: string) => (group: UsageGroup) => ({
    [name]: group.group,
    credits: numberOf(group.amount),
    requests: Number(group.requests),
    inputTokens: Number(group.inputTokens),
    outputTokens: Number(group.outputTokens),
  });
  return { byModel: byModel.map(answer("modelId")), byDay: byDay.map(answer("date")) };
}
