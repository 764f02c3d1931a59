import { dayStart, monthStart } from "@bursar/contract/calendar";
import type { Currency } from "@bursar/contract/fiat";
import { type AccountId, newOperationId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import { withTransaction } from "@bursar/database/transaction";
import type { Deps } from "../deps.ts";
import { lastTopUp, topUpsSince } from "../payment/store.ts";
import { chargedSince, type Market, problemOf, type RuleProblem, type TopUpRule } from "./decide.ts";
import { marketOf } from "./market.ts";
import { lockPolicy, readPolicy, type TopUpPolicy, writePolicy } from "./store-policies.ts";

/** A policy as people write it; what is left out stays as it was. */
export interface PolicyFields {
  readonly mode?: TopUpRule["mode"] | undefined;
  readonly threshold?: MicroCredits | undefined;
  readonly target?: MicroCredits | undefined;
  readonly amount?: MicroCredits | undefined;
  readonly currency?: Currency | undefined;
  readonly dailyCap?: number | undefined;
  readonly monthlyCap?: number | undefined;
  readonly cooldownSeconds?: number | undefined;
}

export type SetPolicyOutcome =
  | { readonly kind: "set" }
  | { readonly kind: "account_unknown"; readonly accountId: AccountId }
  | ({ readonly kind: "policy_refused" } & RuleProblem);

const COOLDOWN_SECONDS = 3600;

/** Sets when credits are bought by themselves; nothing else ever switches it on. Every version is kept, with who and
 *  why. Outcomes, first match wins: policy_refused, naming the field; account_unknown; set. */
export async function setPolicy(
  deps: Pick<Deps, "pool" | "clock" | "prices">,
  request: {
    readonly accountId: AccountId;
    readonly enabled: boolean;
    readonly fields: PolicyFields;
    readonly by: string;
    readonly reason: string | null;
  },
): Promise<SetPolicyOutcome> {
  const { accountId, enabled, fields, by, reason } = request;
  const market = await marketOf(deps);
  return withTransaction(deps.pool, async (client): Promise<SetPolicyOutcome> => {
    const before = await lockPolicy(client, accountId);
    const rule = completeRule(fields, before?.rule ?? null);
    const problem = problemWith(rule, { enabled, fields, market });
    if (problem !== null) return { kind: "policy_refused", ...problem };
    const whole = "field" in rule ? null : rule;
    const change = { accountId, enabled, rule: whole, by, reason };
    const isKnown = await writePolicy(client, {
      ...change,
      changeId: newOperationId(),
      now: deps.clock.now(),
    });
    return isKnown ? { kind: "set" } : { kind: "account_unknown", accountId };
  });
}

/** Whether the policy could be set, before its owner is asked for anything. null: it could. */
export async function checkPolicy(
  deps: Pick<Deps, "pool" | "prices">,
  request: { readonly accountId: AccountId; readonly enabled: boolean; readonly fields: PolicyFields },
): Promise<RuleProblem | null> {
  const [before, market] = await Promise.all([readPolicy(deps.pool, request.accountId), marketOf(deps)]);
  const rule = completeRule(request.fields, before?.rule ?? null);
  return problemWith(rule, { ...request, market });
}

/** Who only switches it off may leave it as incomplete as it is. */
function problemWith(
  rule: TopUpRule | RuleProblem,
  request: { readonly enabled: boolean; readonly fields: PolicyFields; readonly market: Market | null },
): RuleProblem | null {
  const { enabled, fields, market } = request;
  if (!enabled && !hasFields(fields)) return null;
  if ("field" in rule) return rule;
  return market === null ? NOTHING_SOLD : problemOf(rule, market);
}

const NOTHING_SOLD: RuleProblem = {
  field: "enabled",
  message: "no credits are sold: the price book names no price",
};

const hasFields = (fields: PolicyFields) => Object.values(fields).some((value) => value !== undefined);

/** The fields over what was there; or the first that is missing or contradicts another. */
export function completeRule(fields: PolicyFields, before: TopUpRule | null): TopUpRule | RuleProblem {
  const mode = fields.mode ?? before?.mode;
  if (mode === undefined) return required("mode", "target or amount");
  const other = mode === "target" ? "amount" : "target";
  if (fields[other] !== undefined)
    return { field: other, message: `is not a field of mode ${mode}; give ${mode}` };
  const threshold = fields.threshold ?? before?.threshold;
  if (threshold === undefined) return required("threshold", "credits");
  const credits = fields[mode] ?? (before?.mode === mode ? before.credits : undefined);
  if (credits === undefined) return required(mode, "credits");
  const currency = fields.currency ?? before?.currency;
  if (currency === undefined) return required("currency", "eur, usd or jpy");
  const sameMoney = before?.currency === currency ? before : null;
  const dailyCap = fields.dailyCap ?? sameMoney?.dailyCap;
  if (dailyCap === undefined) return required("dailyCap", `minor units of ${currency}`);
  const monthlyCap = fields.monthlyCap ?? sameMoney?.monthlyCap;
  if (monthlyCap === undefined) return required("monthlyCap", `minor units of ${currency}`);
  const cooldownSeconds = fields.cooldownSeconds ?? before?.cooldownSeconds ?? COOLDOWN_SECONDS;
  return { mode, threshold, credits, currency, dailyCap, monthlyCap, cooldownSeconds };
}

const required = (field: string, what: string): RuleProblem => ({ field, message: `is required: ${what}` });

export interface PolicyState {
  readonly policy: TopUpPolicy | null;
  readonly chargedToday: number;
  readonly chargedThisMonth: number;
  readonly lastTriggeredAt: Instant | null;
}

/** How a policy stands. Charges nothing and writes nothing. null: no such account. */
export async function policyState(
  deps: Pick<Deps, "pool" | "clock" | "prices">,
  accountId: AccountId,
): Promise<PolicyState> {
  const now = deps.clock.now();
  const [policy, charges, last, market] = await Promise.all([
    readPolicy(deps.pool, accountId),
    topUpsSince(deps.pool, accountId, { since: monthStart(now), now }),
    lastTopUp(deps.pool, accountId),
    marketOf(deps),
  ]);
  const currency = policy?.rule?.currency;
  const pricing = market ?? { priceOf: () => null };
  const since = (start: Instant) =>
    currency === undefined ? 0 : chargedSince({ currency }, charges, start, pricing);
  return {
    policy,
    chargedToday: since(dayStart(now)),
    chargedThisMonth: since(monthStart(now)),
    lastTriggeredAt: last?.triggeredAt ?? null,
  };
}
