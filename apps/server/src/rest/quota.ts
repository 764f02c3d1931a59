import type { AccountId } from "@bursar/contract/ids";
import type { QuotaAnswer } from "@bursar/contract/operations/quota";
import { credits, iso } from "@bursar/contract/shapes";
import { type Balance, balance } from "@bursar/engine/balance/balance";
import { cycleGrantId, cycleOf, type Quota } from "@bursar/engine/quota/decide";
import { putQuota as put } from "@bursar/engine/quota/quota";
import { findQuota } from "@bursar/engine/quota/store";
import type { Handler } from "./context.ts";
import { refused } from "./problem.ts";

export const getQuota: Handler<"getQuota"> = async ({ deps, accountId }) => {
  const [found, state] = await Promise.all([findQuota(deps.pool, accountId), balance(deps, accountId)]);
  if (state === null) return refused({ kind: "account_unknown", accountId });
  return { answer: { accountId, quota: found === null ? null : quotaAnswer(found, state) } };
};

export const putQuota: Handler<"putQuota"> = async ({ deps, params, body, principal }) => {
  const accountId = params.id as AccountId;
  const outcome = await put(deps, { ...body, accountId, by: principal.by });
  if (outcome.kind === "account_unknown") return refused(outcome);
  if (outcome.kind === "anchor_fixed") {
    const message = `The anchor is ${iso(outcome.anchor)} and stays so: leave it out to change the rest`;
    return { problem: "quota_anchor_fixed", message, param: "anchor" };
  }
  const state = await balance(deps, accountId);
  if (state === null) return refused({ kind: "account_unknown", accountId });
  return { answer: { accountId, quota: quotaAnswer(outcome.quota, state) } };
};

function quotaAnswer(quota: Quota, state: Balance): QuotaAnswer {
  const { rollover, issuedCycle } = quota;
  return {
    credits: credits(quota.credits),
    anchor: iso(quota.anchor)!,
    nextReset: iso(quota.nextResetAt)!,
    rollover: rollover === null ? null : { cap: credits(rollover.cap), months: rollover.months },
    cycle: issuedCycle === null ? null : cycleAnswer(quota, issuedCycle, state),
  };
}

function cycleAnswer(quota: Quota, index: number, { grants }: Balance): QuotaAnswer["cycle"] {
  const { start, end } = cycleOf(quota, index);
  const grantId = cycleGrantId("free", start);
  const remaining = grants.find((grant) => grant.id === grantId)?.remaining ?? 0n;
  return { number: index, start: iso(start)!, end: iso(end)!, grantId, remaining: credits(remaining) };
}
