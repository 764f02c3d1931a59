import { CURRENCIES, type Currency } from "@bursar/contract/fiat";
import type { AccountId } from "@bursar/contract/ids";
import { MICRO_CREDITS_PER_CREDIT } from "@bursar/contract/money";
import { iso } from "@bursar/contract/shapes";
import type { Deps } from "@bursar/engine/deps";
import { isUsable, methodsOf } from "@bursar/engine/payment/methods";
import { type Payments, PaymentsUnavailable } from "@bursar/engine/payment/payments";
import { lastTriggeredAt } from "@bursar/engine/topup/last-triggered";
import { checkPolicy, type PolicyFields, policyState, setPolicy } from "@bursar/engine/topup/policy";
import type { Identity } from "@bursar/identity/identity";
import type { Person } from "@bursar/identity/person";
import { message } from "../credit-check/fields.ts";
import type { Route, RouteCall } from "../credit-check/route.ts";

export interface SettingsDeps extends Pick<Deps, "pool" | "clock" | "prices" | "secrets" | "log"> {
  readonly payments: Payments | null;
  readonly identity: Pick<Identity, "stepUp">;
}

const PATH = "/v1/settings/auto-topup/low-balance";
const THRESHOLDS = [500, 1000, 2000, 5000];

/** The billing settings' own form of the auto top-up: the same policy as /v1/topup-policy, with fewer choices. */
export function settingsRoutes(deps: SettingsDeps): Route[] {
  return [
    { method: "get", path: PATH, access: "person", handle: ({ person }) => show(deps, person!) },
    { method: "post", path: PATH, access: "person", handle: (call) => change(deps, call) },
  ];
}

async function show(deps: SettingsDeps, person: Person): Promise<Response> {
  return Response.json(await stateOf(deps, person.accountId));
}

async function stateOf(deps: SettingsDeps, accountId: AccountId) {
  const [{ policy }, triggered, tiers, hasMethod] = await Promise.all([
    policyState(deps, accountId),
    lastTriggeredAt(deps, accountId),
    tiersOf(deps),
    hasUsableMethod(deps, accountId),
  ]);
  const rule = policy?.rule ?? null;
  return {
    auto_topup_low_balance_enabled: policy?.enabled ?? false,
    auto_topup_low_balance_threshold: rule === null ? null : numberOf(rule.threshold),
    auto_topup_low_balance_amount: rule?.mode === "amount" ? numberOf(rule.credits) : null,
    auto_topup_low_balance_currency: rule?.currency ?? null,
    daily_cap: rule?.dailyCap ?? null,
    monthly_cap: rule?.monthlyCap ?? null,
    disabled_reason: policy?.disabledReason ?? null,
    last_triggered_at: iso(triggered),
    has_payment_method: hasMethod,
    allowed: { threshold: THRESHOLDS, amount: tiers.map(({ credits }) => credits), currency: CURRENCIES },
  };
}

const numberOf = (micro: bigint) => Number(micro) / Number(MICRO_CREDITS_PER_CREDIT);

async function tiersOf(deps: SettingsDeps) {
  const sales = (await deps.prices.current()).body.credits;
  return (sales?.tiers ?? []).map(({ credits: micro, prices }) => ({
    credits: numberOf(micro),
    micro,
    prices,
  }));
}

/** null: the payment provider cannot be asked just now, or there is none. */
async function hasUsableMethod(deps: SettingsDeps, accountId: AccountId): Promise<boolean | null> {
  const { payments } = deps;
  if (payments === null) return null;
  try {
    const methods = await methodsOf({ ...deps, payments }, accountId);
    return methods.some((method) => isUsable(method, deps.clock.now()));
  } catch (error) {
    if (error instanceof PaymentsUnavailable) return null;
    throw error;
  }
}

async function change(deps: SettingsDeps, { person, body }: RouteCall): Promise<Response> {
  const { id, accountId } = person!;
  const { enabled } = body;
  if (typeof enabled !== "boolean") return refused("enabled", "must be true or false");
  const fields = enabled ? await readFields(deps, body) : {};
  if (fields instanceof Response) return fields;
  // A code is good once: it is not asked for in vain.
  const problem = await checkPolicy(deps, { accountId, enabled, fields });
  if (problem !== null) return refused(problem.field, problem.message);
  // Who only switches it off needs no code: it can only save money.
  const stopped = enabled ? await stepUp(deps, id, body["totp_code"]) : null;
  if (stopped !== null) return stopped;
  const request = { accountId, enabled, fields, by: `user:${id}`, reason: null };
  const outcome = await setPolicy(deps, request);
  if (outcome.kind === "policy_refused") return refused(outcome.field, outcome.message);
  if (outcome.kind === "account_unknown") return message(404, `There is no account ${accountId}`);
  return Response.json(await stateOf(deps, accountId));
}

function refused(field: string, why: string, allowed?: readonly unknown[]): Response {
  return message(400, `${field}: ${why}`, { field, ...(allowed === undefined ? {} : { allowed }) });
}

async function readFields(deps: SettingsDeps, body: RouteCall["body"]): Promise<PolicyFields | Response> {
  const tiers = await tiersOf(deps);
  const amounts = tiers.map(({ credits }) => credits);
  const { threshold, amount, currency } = body;
  if (!isOneOf(THRESHOLDS, threshold)) return notOneOf("threshold", THRESHOLDS);
  if (!isOneOf(amounts, amount)) return notOneOf("amount", amounts);
  if (!isOneOf<Currency>(CURRENCIES, currency)) return notOneOf("currency", CURRENCIES);
  const tier = tiers.find(({ credits }) => credits === amount)!;
  const price = tier.prices[currency];
  if (price === undefined) return refused("currency", `this amount is not sold in ${currency}`);
  return {
    mode: "amount",
    threshold: BigInt(threshold) * MICRO_CREDITS_PER_CREDIT,
    amount: tier.micro,
    currency,
    // This form has no fields for the caps, and no policy goes without.
    dailyCap: price * DAILY_PURCHASES,
    monthlyCap: price * MONTHLY_PURCHASES,
    cooldownSeconds: 3600,
  };
}

const DAILY_PURCHASES = 3;
const MONTHLY_PURCHASES = 15;

function isOneOf<Value>(allowed: readonly Value[], value: unknown): value is Value {
  return (allowed as readonly unknown[]).includes(value);
}

const notOneOf = (field: string, allowed: readonly unknown[]) =>
  refused(field, `must be one of ${allowed.join(", ")}`, allowed);

async function stepUp(deps: SettingsDeps, personId: string, code: unknown): Promise<Response | null> {
  const isCode = typeof code === "string" && /^\d{6}$/.test(code);
  const outcome = await deps.identity.stepUp({ personId, code: isCode ? code : undefined });
  switch (outcome.kind) {
    case "passed":
      return null;
    case "not_enabled":
      return message(400, "Two-factor authentication must be switched on first", { field: "totp_code" });
    case "code_required":
      return refused("totp_code", "must be the six digits of your authenticator");
    case "refused":
      return message(401, "totp_code: is wrong or was used before", { field: "totp_code" });
    case "limited": {
      const wait = outcome.retryAfterSeconds;
      const answer = message(429, `Too many wrong codes; try again in ${wait} s`, { field: "totp_code" });
      answer.headers.set("retry-after", String(wait));
      return answer;
    }
  }
}
