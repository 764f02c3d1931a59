import type { AccountId } from "@bursar/contract/ids";
import { addSeconds, type Instant } from "@bursar/contract/instant";
import type { Deps } from "../deps.ts";
import { type Market, problemOf, type RuleProblem, type TopUpRule } from "./decide.ts";
import { marketOf } from "./market.ts";
import { completeRule, type PolicyFields } from "./policy.ts";
import { type SimulatedCharge, Simulation, type Stop } from "./simulate.ts";
import { readPolicy } from "./store-policies.ts";
import { changesAfter, netAt } from "./store-preview.ts";

export type PreviewOutcome =
  | {
      readonly kind: "previewed";
      readonly from: Instant;
      readonly to: Instant;
      readonly rule: TopUpRule;
      readonly charges: readonly SimulatedCharge[];
      readonly stops: readonly Stop[];
    }
  | ({ readonly kind: "policy_refused" } & RuleProblem);

const PREVIEW_SECONDS = 30 * 86_400;
const PAGE = 5000;

/** What a policy would have charged over the last 30 days, by the very decision that charges: the ledger's entries
 *  without the top-ups that really happened, and the policy's own purchases instead. Charges nothing, writes nothing.
 *  Outcomes: policy_refused, naming the field; previewed. */
export async function previewPolicy(
  deps: Pick<Deps, "pool" | "clock" | "prices">,
  accountId: AccountId,
  fields: PolicyFields,
): Promise<PreviewOutcome> {
  const [policy, market] = await Promise.all([readPolicy(deps.pool, accountId), marketOf(deps)]);
  const rule = completeRule(fields, policy?.rule ?? null);
  if ("field" in rule) return { kind: "policy_refused", ...rule };
  const problem =
    market === null ? { field: "currency", message: "no credits are sold" } : problemOf(rule, market);
  if (problem !== null) return { kind: "policy_refused", ...problem };
  const to = deps.clock.now();
  const from = addSeconds(to, -PREVIEW_SECONDS);
  const simulation = await simulate(deps, accountId, { rule, market: market!, from, to });
  return { kind: "previewed", from, to, rule, charges: simulation.charges, stops: simulation.stops };
}

async function simulate(
  deps: Pick<Deps, "pool">,
  accountId: AccountId,
  { rule, market, from, to }: { rule: TopUpRule; market: Market; from: Instant; to: Instant },
): Promise<Simulation> {
  const start = await netAt(deps.pool, accountId, from);
  const simulation = new Simulation(rule, market, start.net);
  let { seq, net } = start;
  for (let isFirst = true; ; isFirst = false) {
    const page = await changesAfter(deps.pool, accountId, seq, PAGE);
    // An account whose first entry is yet to come was not empty: it was not in use.
    if (isFirst && (seq > 0n || page.length === 0)) simulation.change({ at: from, by: 0n, isRequest: false });
    for (const entry of page) {
      const by = entry.net - net;
      ({ seq, net } = entry);
      if (!entry.isTopUp) simulation.change({ at: entry.at, by, isRequest: entry.isRequest });
    }
    if (page.length < PAGE) break;
  }
  simulation.passTo(to);
  return simulation;
}
