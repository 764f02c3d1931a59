import { type AccountId, type GrantId, newGrantId, newOperationId } from "@bursar/contract/ids";
import { credits, iso } from "@bursar/contract/shapes";
import type { Deps } from "@bursar/engine/deps";
import { type GrantOutcome, grant } from "@bursar/engine/grant/grant";
import { grantSources } from "@bursar/engine/ledger/store-read";
import type { Handler, Success } from "./context.ts";
import { type Problem, refused } from "./problem.ts";

export const createGrant: Handler<"createGrant"> = async ({
  deps,
  body,
  principal,
  requestId,
  idempotencyKey,
  reason,
}) => {
  if (body.accountId === undefined) return accountRequired;
  const id = (body.id ?? idempotencyKey ?? newGrantId()) as GrantId;
  const accountId = body.accountId as AccountId;
  const late = endsInThePast(body.expiresAt ?? null, deps.clock.now());
  if (late !== null && !(await isGranted(deps, accountId, id))) return late;
  const notes = reason ?? undefined;
  const request = { ...body, notes, id, accountId, by: principal.by, requestId };
  return grantedAnswer(accountId, await grant(deps, request));
};

export const accountRequired: Problem = {
  problem: "invalid_request",
  message: "is required with an admin key: the account this is about",
  param: "accountId",
};

export function endsInThePast(expiresAt: number | null, now: number): Problem | null {
  if (expiresAt === null || expiresAt > now) return null;
  return { problem: "invalid_request", message: "must be in the future", param: "expiresAt" };
}

/** Who repeats a grant after its end hears the first result. */
export async function isGranted(
  deps: Pick<Deps, "pool">,
  accountId: AccountId,
  id: GrantId,
): Promise<boolean> {
  return (await grantSources(deps.pool, accountId, [id])).has(id);
}

export function grantedAnswer(accountId: AccountId, outcome: GrantOutcome): Success<"createGrant"> | Problem {
  if (outcome.kind !== "granted") return refused(outcome, "grant");
  const { id, duplicate, amount, remaining, expiresAt } = outcome;
  const answer = {
    id,
    accountId,
    amount: credits(amount),
    remaining: credits(remaining),
    expiresAt: iso(expiresAt),
  };
  return { repeated: duplicate, answer };
}

export const revokeGrant: Handler<"revokeGrant"> = async ({
  deps,
  params,
  body,
  principal,
  requestId,
  idempotencyKey,
}) => {
  const id = body.id ?? idempotencyKey ?? newOperationId();
  const accountId = body.accountId as AccountId;
  const grantId = params.id as GrantId;
  const facts = { accountId, by: principal.by, requestId, note: body.reason };
  const outcome = await deps.ledger.submit({ ...facts, kind: "revoke", id, grantId, amount: body.amount });
  if (outcome.kind !== "done" && outcome.kind !== "duplicate") return refused(outcome, "revoke");
  const { amount, available, owed } = outcome.result;
  return {
    answer: { id, grantId, revoked: credits(amount), available: credits(available), owed: credits(owed) },
  };
};
