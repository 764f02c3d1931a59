import type { AccountId } from "@bursar/contract/ids";
import { credits, iso } from "@bursar/contract/shapes";
import { findAccount } from "@bursar/engine/account/store";
import { listPayments as list } from "@bursar/engine/payment/store";
import { checkPolicy, type PolicyFields, policyState, setPolicy } from "@bursar/engine/topup/policy";
import { previewPolicy } from "@bursar/engine/topup/preview";
import type { Handler, RestDeps, Success } from "./context.ts";
import { readCursor } from "./cursor.ts";
import { nextCursorOf, personUrl } from "./payments.ts";
import { isProblem, type Problem, refused } from "./problem.ts";
import { stepUpFor } from "./step-up.ts";

export const getTopUpPolicy: Handler<"getTopUpPolicy"> = async ({ deps, accountId }) => {
  if ((await findAccount(deps.pool, accountId)) === null)
    return refused({ kind: "account_unknown", accountId });
  return { answer: await stateAnswer(deps, accountId) };
};

async function stateAnswer(
  deps: RestDeps,
  accountId: AccountId,
): Promise<Success<"getTopUpPolicy">["answer"]> {
  const { policy, chargedToday, chargedThisMonth, lastTriggeredAt } = await policyState(deps, accountId);
  const rule = policy?.rule ?? null;
  const bought = rule === null ? null : credits(rule.credits);
  return {
    accountId,
    enabled: policy?.enabled ?? false,
    mode: rule?.mode ?? null,
    threshold: rule === null ? null : credits(rule.threshold),
    target: rule?.mode === "target" ? bought : null,
    amount: rule?.mode === "amount" ? bought : null,
    currency: rule?.currency ?? null,
    dailyCap: rule?.dailyCap ?? null,
    monthlyCap: rule?.monthlyCap ?? null,
    cooldownSeconds: rule?.cooldownSeconds ?? 3600,
    chargedToday,
    chargedThisMonth,
    disabledReason: policy?.disabledReason ?? null,
    suspended: policy?.isSuspended ?? false,
    lastTriggeredAt: iso(lastTriggeredAt),
    updatedAt: iso(policy?.updatedAt ?? null),
    updatedBy: policy?.updatedBy ?? null,
    reason: policy?.reason ?? null,
  };
}

export const putTopUpPolicy: Handler<"putTopUpPolicy"> = async (call) => {
  const { deps, accountId, body, principal } = call;
  const { accountId: _, enabled, totpCode, reason: inBody, ...fields } = body;
  // Members of the public give none; the header is an administrator's.
  const reason = inBody ?? (principal.kind === "admin" ? (call.reason ?? undefined) : undefined);
  // Who only switches it off needs no second factor: it can only save money.
  const isChange = enabled || Object.values(fields).some((value) => value !== undefined);
  const problem = isChange ? await checkPolicy(deps, { accountId, enabled, fields }) : null;
  if (problem !== null) return policyRefused(problem);
  const stopped = isChange ? await stepUpFor(deps, principal, { totpCode, reason }) : null;
  if (stopped !== null) return stopped;
  const change = { accountId, enabled, fields, by: principal.by, reason: reason ?? null };
  const outcome = await setPolicy(deps, change);
  if (outcome.kind === "account_unknown") return refused(outcome);
  if (outcome.kind === "policy_refused") return policyRefused(outcome);
  return { answer: await stateAnswer(deps, accountId) };
};

function policyRefused({ field, message }: { field: string; message: string }): Problem {
  return { problem: "policy_refused", message: `${field}: ${message}`, param: field };
}

export const previewTopUpPolicy: Handler<"previewTopUpPolicy"> = async ({ deps, accountId, query }) => {
  if ((await findAccount(deps.pool, accountId)) === null)
    return refused({ kind: "account_unknown", accountId });
  const { accountId: _, ...fields } = query;
  const outcome = await previewPolicy(deps, accountId, fields satisfies PolicyFields);
  if (outcome.kind === "policy_refused") return policyRefused(outcome);
  const { charges, stops, rule, from, to } = outcome;
  return {
    answer: {
      from: iso(from)!,
      to: iso(to)!,
      currency: rule.currency,
      charges: charges.map((charge) => ({
        at: iso(charge.at)!,
        credits: credits(charge.credits),
        amount: charge.amount,
        netBefore: credits(charge.netBefore),
      })),
      total: charges.reduce((sum, { amount }) => sum + amount, 0),
      credits: credits(charges.reduce((sum, charge) => sum + charge.credits, 0n)),
      stopped: stops.map(({ at, reason }) => ({ at: iso(at)!, reason })),
    },
  };
};

export const listTopUpAttempts: Handler<"listTopUpAttempts"> = async ({ deps, accountId, query }) => {
  const cursor = readCursor(query.cursor);
  if (isProblem(cursor)) return cursor;
  const after = cursor === null ? null : { createdAt: cursor.at, id: cursor.id };
  const found = await list(deps.pool, { accountId, kind: "topup", limit: query.limit, after });
  if (found.length === 0 && (await findAccount(deps.pool, accountId)) === null)
    return refused({ kind: "account_unknown", accountId });
  const attempts = found.map((attempt) => ({
    id: attempt.id,
    state: attempt.state,
    credits: credits(attempt.credits),
    amount: attempt.amount,
    currency: attempt.currency,
    netBefore: credits(attempt.netBefore ?? 0n),
    threshold: credits(attempt.threshold ?? 0n),
    actionUrl: personUrl(deps, attempt),
    failure: attempt.failure,
    createdAt: iso(attempt.createdAt)!,
    endedAt: iso(attempt.endedAt),
  }));
  return { answer: { attempts, nextCursor: nextCursorOf(found, query.limit) } };
};
