import type { WorkFields } from "@bursar/contract/operations/balance";
import { credits, iso } from "@bursar/contract/shapes";
import { balance } from "@bursar/engine/balance/balance";
import { check } from "@bursar/engine/gate/check";
import type { Work } from "@bursar/engine/price/work";
import type { Quota } from "@bursar/engine/quota/decide";
import { findQuota } from "@bursar/engine/quota/store";
import type { Handler } from "./context.ts";
import { featureUnknown, modelUnknown, refused } from "./problem.ts";

export const getBalance: Handler<"getBalance"> = async ({ deps, accountId, query }) => {
  const [found, quota] = await Promise.all([
    balance(deps, accountId, query.feature),
    findQuota(deps.pool, accountId),
  ]);
  if (found === null) return refused({ kind: "account_unknown", accountId });
  const { available, held, owed, net, frozen, nextExpiry } = found;
  return {
    answer: {
      accountId,
      available: credits(available),
      held: credits(held),
      owed: credits(owed),
      net: credits(net),
      frozen,
      grants: found.grants.map(({ id, source, remaining, priority, expiresAt }) => {
        return { id, source, remaining: credits(remaining), priority, expiresAt: iso(expiresAt) };
      }),
      nextExpiry:
        nextExpiry === null ? null : { at: iso(nextExpiry.at)!, amount: credits(nextExpiry.amount) },
      nextReset: nextReset(quota),
    },
  };
};

function nextReset(quota: Quota | null): { at: string; amount: string } | null {
  if (quota === null || quota.credits === 0n) return null;
  return { at: iso(quota.nextResetAt)!, amount: credits(quota.credits) };
}

/** The contract has made sure that one of the two forms is complete. */
export function workOf(body: WorkFields): Work {
  if (body.amount !== undefined) return { kind: "amount", amount: body.amount };
  const { model = "", inputTokens = 0, maxOutputTokens = 0 } = body;
  return { kind: "tokens", model, inputTokens, maxOutputTokens };
}

export const checkWork: Handler<"check"> = async ({ deps, accountId, principal, body }) => {
  const outcome = await check(deps, {
    accountId,
    work: workOf(body),
    feature: body.feature,
    caps: principal.caps,
  });
  if (outcome.kind === "model_unknown") return modelUnknown(outcome.model);
  if (outcome.kind === "feature_unknown") return featureUnknown(outcome.feature);
  if (outcome.kind === "account_unknown") return refused(outcome);
  const { allowed, amount, available, missing, reason, affordable } = outcome;
  return {
    answer: {
      allowed,
      amount: credits(amount),
      available: credits(available),
      missing: credits(missing),
      reason,
      affordable,
    },
  };
};
