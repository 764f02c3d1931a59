import { formatCredits, type MicroCredits } from "@bursar/contract/money";
import { balance } from "@bursar/engine/balance/balance";
import { costOf, type PriceBook, ratesFor } from "@bursar/engine/price/decide";
import { numberOf, positiveCreditsOf, tokensOf } from "../amounts.ts";
import type { CreditCheckDeps } from "../deps.ts";
import { message } from "../fields.ts";
import { DEFAULT_MODEL } from "../pricing.ts";
import type { RouteCall } from "../route.ts";

/** A model that can chat, and what a thousand tokens of it cost. */
interface PricedModel {
  readonly id: string;
  readonly input: MicroCredits;
  readonly output: MicroCredits;
  readonly contextTokens: number | null;
}

/** The cheapest first. Models that write nothing, as for embeddings, are not for chats. */
function chatModels(book: PriceBook): PricedModel[] {
  const models = Object.keys(book.body.models).flatMap((id): PricedModel[] => {
    const rates = ratesFor(book, id);
    if (id === DEFAULT_MODEL || rates === null || rates.output === 0n) return [];
    const cost = (inputTokens: number, outputTokens: number) =>
      costOf(rates, { inputTokens, cachedInputTokens: 0, outputTokens });
    return [{ id, input: cost(1000, 0), output: cost(0, 1000), contextTokens: rates.contextTokens }];
  });
  return models.sort((a, b) => Number(a.output - b.output) || (a.id < b.id ? -1 : 1));
}

export async function listModels(deps: CreditCheckDeps): Promise<Response> {
  return Response.json({ models: chatModels(await deps.prices.current()).map(modelAnswer) });
}

function modelAnswer({ id, input, output, contextTokens }: PricedModel) {
  const prices = { inputCreditsPer1000: numberOf(input), outputCreditsPer1000: numberOf(output) };
  return { id, modelId: id, ...prices, contextTokens };
}

/** How far up the price list a task reaches. */
const TASKS = { simple: 0, balanced: 0.5, complex: 1 } as const;

/** The best model for a task that the credits pay for: `task`, `estimatedTokens`, and at most `maxCredits`. */
export async function recommendModel(deps: CreditCheckDeps, { person, body }: RouteCall): Promise<Response> {
  const { task = "balanced" } = body;
  if (typeof task !== "string" || !Object.hasOwn(TASKS, task))
    return message(400, `task: must be one of ${Object.keys(TASKS).join(", ")}`);
  const tokens = body.estimatedTokens === undefined ? 1000 : tokensOf(body.estimatedTokens);
  if (tokens === null) return message(400, "estimatedTokens: must be a whole number from 0");
  const most = body.maxCredits === undefined ? null : positiveCreditsOf(body.maxCredits);
  if (most === null && body.maxCredits !== undefined)
    return message(400, "maxCredits: must be a positive number");
  const available = (await balance(deps, person!.accountId))?.available ?? 0n;
  const limit = most === null || most > available ? available : most;
  const costOfTask = ({ output }: PricedModel) => (output * BigInt(tokens) + 999n) / 1000n;
  const fitting = chatModels(await deps.prices.current()).filter((model) => costOfTask(model) <= limit);
  const reach = TASKS[task as keyof typeof TASKS];
  const chosen = fitting[Math.round((fitting.length - 1) * reach)];
  if (chosen === undefined)
    return message(402, `No model fits ${formatCredits(limit)} credits`, { code: "INSUFFICIENT_CREDITS" });
  const others = fitting.filter((model) => model !== chosen).map(modelAnswer);
  const estimatedCredits = numberOf(costOfTask(chosen));
  return Response.json({ recommended: modelAnswer(chosen), estimatedCredits, alternatives: others });
}
