import { type AccountId, newOperationId } from "@bursar/contract/ids";
import { credits, iso } from "@bursar/contract/shapes";
import { createAccount as create } from "@bursar/engine/account/create";
import { findAccounts, findOwnedAccount, type OwnedAccount } from "@bursar/identity/people/store-accounts";
import type { Call, Handler, Success } from "./context.ts";
import { type Problem, refused } from "./problem.ts";

export const createAccount: Handler<"createAccount"> = async ({ deps, body, idempotencyKey }) => {
  const id = (body.id ?? idempotencyKey) as AccountId | undefined;
  const outcome = await create(deps, { id, name: body.name, alertBelow: body.alertBelow });
  if (outcome.kind === "created") {
    const { id: accountId, name, duplicate } = outcome;
    return { repeated: duplicate, accountId, answer: { id: accountId, name } };
  }
  const message = `The account ${outcome.id} exists already, under another name`;
  return { problem: "account_exists", message, param: "id" };
};

export const listAccounts: Handler<"listAccounts"> = async ({ deps, query }) => {
  const { search = null, cursor = "", limit } = query;
  const accounts = await findAccounts(deps.pool, { search, after: cursor, limit });
  const nextCursor = accounts.length === limit ? (accounts.at(-1)?.id ?? null) : null;
  return { answer: { accounts: accounts.map(accountAnswer), nextCursor } };
};

export const getAccount: Handler<"getAccount"> = async ({ deps, params }) => {
  const id = params.id as AccountId;
  const found = await findOwnedAccount(deps.pool, id);
  return found === null
    ? refused({ kind: "account_unknown", accountId: id })
    : { answer: accountAnswer(found) };
};

export function accountAnswer(account: OwnedAccount): Success<"getAccount">["answer"] {
  const { id, name, owner, available, held, owed, frozen, alertBelow, createdAt } = account;
  return {
    id,
    name,
    owner,
    frozen,
    available: credits(available),
    held: credits(held),
    owed: credits(owed),
    alertBelow: alertBelow === null ? null : credits(alertBelow),
    createdAt: iso(createdAt)!,
  };
}

export const freezeAccount: Handler<"freezeAccount"> = (call) => mark(call, "freeze");
export const unfreezeAccount: Handler<"unfreezeAccount"> = (call) => mark(call, "unfreeze");

type MarkCall = Pick<
  Call<"freezeAccount">,
  "deps" | "params" | "body" | "principal" | "requestId" | "idempotencyKey"
>;

async function mark(
  call: MarkCall,
  kind: "freeze" | "unfreeze",
): Promise<{ answer: { id: string; frozen: boolean } } | Problem> {
  const { deps, params, body, principal, requestId, idempotencyKey } = call;
  const accountId = params.id as AccountId;
  const id = body.id ?? idempotencyKey ?? newOperationId();
  const outcome = await deps.ledger.submit({
    kind,
    id,
    accountId,
    note: body.reason,
    by: principal.by,
    requestId,
  });
  if (outcome.kind !== "done" && outcome.kind !== "duplicate") return refused(outcome, kind);
  return { answer: { id: accountId, frozen: kind === "freeze" } };
}

export const createAdjustment: Handler<"createAdjustment"> = async (call) => {
  const { deps, body, principal, requestId, idempotencyKey } = call;
  const id = body.id ?? idempotencyKey ?? newOperationId();
  const facts = { accountId: body.accountId as AccountId, note: body.reason, by: principal.by, requestId };
  const outcome = await deps.ledger.submit({ ...facts, kind: "adjust", id, amount: body.amount });
  if (outcome.kind !== "done" && outcome.kind !== "duplicate") return refused(outcome, "adjust");
  const { amount, available, owed } = outcome.result;
  return {
    repeated: outcome.kind === "duplicate",
    answer: { id, amount: credits(amount), available: credits(available), owed: credits(owed) },
  };
};
