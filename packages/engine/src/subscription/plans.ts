import type { Currency } from "@bursar/contract/fiat";
import type { PlanBody } from "@bursar/contract/operations/subscriptions";
import type { Deps } from "../deps.ts";
import type { PlanTerms } from "./subscription.ts";

/** The plans of the price book in force. */
export async function plans({ prices }: Pick<Deps, "prices">): Promise<readonly PlanBody[]> {
  const { body } = await prices.current();
  return body.plans;
}

export type FindTermsOutcome =
  | { readonly kind: "plan_unknown"; readonly planId: string; readonly known: readonly string[] }
  | { readonly kind: "currency_not_sold"; readonly sold: readonly string[] }
  | { readonly kind: "found"; readonly terms: PlanTerms };

/** What a plan gives and costs now. Outcomes, first match wins: plan_unknown, currency_not_sold, found. */
export async function termsFor(
  deps: Pick<Deps, "prices">,
  planId: string,
  currency: Currency,
): Promise<FindTermsOutcome> {
  const all = await plans(deps);
  const plan = all.find((candidate) => candidate.id === planId);
  if (plan === undefined) return { kind: "plan_unknown", planId, known: all.map(({ id }) => id) };
  const { id, prices, ...terms } = plan;
  const amount = prices[currency];
  if (amount === undefined) return { kind: "currency_not_sold", sold: Object.keys(prices) };
  return { kind: "found", terms: { ...terms, planId: id, amount } };
}
