import type { GrantId, HoldId } from "@bursar/contract/ids";
import { batchOperation } from "@bursar/contract/operations/spend";
import { chargeAtPrices } from "@bursar/engine/charge/charge";
import { grant } from "@bursar/engine/grant/grant";
import { holdAtPrices } from "@bursar/engine/hold/hold";
import { release, settleAtPrices } from "@bursar/engine/hold/settle";
import { isUnavailable } from "@bursar/engine/ledger/unavailable";
import type { PriceBook } from "@bursar/engine/price/decide";
import type { z } from "zod";
import { workOf } from "./balance.ts";
import { actor, type Call, type Handler } from "./context.ts";
import { endsInThePast, grantedAnswer, isGranted } from "./grants.ts";
import { costOf, heldAnswer, releasedAnswer, settledAnswer } from "./holds.ts";
import { firstIssue } from "./input.ts";
import { isProblem, type Problem, problemBody } from "./problem.ts";
import { reservedId } from "./reserved.ts";
import { chargedAnswer } from "./spend.ts";
import { unexpected } from "./unexpected.ts";

type BatchOperation = z.output<typeof batchOperation>;
type BatchCall = Call<"batch">;

/** Each operation is decided on its own, in order; they reach the ledger together and share its commits. One that
 *  fails fails alone: the others may be done. */
export const batch: Handler<"batch"> = async (call) => {
  const { deps, requestId } = call;
  const book = await deps.prices.current();
  const endings = await Promise.allSettled(
    call.body.operations.map((raw, index) => runOne(call, book, raw, index)),
  );
  const errors = endings.flatMap((ending) =>
    ending.status === "rejected" ? [ending.reason as unknown] : [],
  );
  if (errors.length === endings.length && errors.every(isUnavailable)) throw errors[0];
  const outcomes = endings.map((ending) =>
    ending.status === "fulfilled" ? ending.value : unexpected(deps, ending.reason, requestId, "batch"),
  );
  return { answer: { results: outcomes.map((outcome) => resultOf(outcome, requestId)) } };
};

type Result = Awaited<ReturnType<typeof runOne>>;

function resultOf(outcome: Result, requestId: string) {
  if (isProblem(outcome)) return { ok: false as const, error: problemBody(outcome, requestId).error };
  return { ok: true as const, ...outcome.answer };
}

/** Reaches the ledger without yielding first, so that the order of the list is the order of submission. */
async function runOne(call: BatchCall, book: PriceBook, raw: unknown, index: number) {
  const parsed = batchOperation.safeParse(raw);
  if (!parsed.success) return firstIssue(parsed.error, `operations.${index}`);
  const operation = parsed.data;
  const problem = namesAnotherAccount(call, operation, index) ?? namesReservedId(call, operation, index);
  return problem ?? (await perform(call, book, operation));
}

/** A batch is about one account. */
function namesAnotherAccount(call: BatchCall, operation: BatchOperation, index: number): Problem | null {
  const { accountId } = operation;
  if (accountId === undefined || accountId === call.accountId || call.principal.kind === "admin") return null;
  return {
    problem: "admin_required",
    message: "This key belongs to another account",
    param: `operations.${index}.accountId`,
  };
}

/** Settling and releasing name a hold and use no id up. */
function namesReservedId(call: BatchCall, { op, id }: BatchOperation, index: number): Problem | null {
  const isOwn = op === "spend" || op === "hold";
  return isOwn ? reservedId(call.principal, id, `operations.${index}.id`) : null;
}

async function perform(call: BatchCall, book: PriceBook, operation: BatchOperation) {
  const { deps } = call;
  const facts = actor({
    ...call,
    accountId: (operation.accountId ?? call.accountId) as typeof call.accountId,
  });
  const { caps: _, ...closing } = facts;
  switch (operation.op) {
    case "spend": {
      const { id, feature, metadata } = operation;
      const request = { ...facts, id, cost: costOf(operation), feature, metadata };
      return chargedAnswer(id, await chargeAtPrices(deps, book, request));
    }
    case "hold": {
      const { feature, ttlSeconds, metadata } = operation;
      const ids = { id: operation.id as HoldId, parentId: operation.parentId as HoldId | undefined };
      const request = { ...facts, ...ids, work: workOf(operation), feature, ttlSeconds, metadata };
      return heldAnswer(await holdAtPrices(deps, book, request));
    }
    case "settle": {
      const holdId = operation.id as HoldId;
      const request = { ...closing, holdId, cost: costOf(operation) };
      return settledAnswer(holdId, await settleAtPrices(deps, book, request));
    }
    case "release": {
      const holdId = operation.id as HoldId;
      return releasedAnswer(holdId, await release(deps, { ...closing, holdId }));
    }
    case "grant":
      return performGrant(call, operation);
  }
}

async function performGrant(call: BatchCall, operation: Extract<BatchOperation, { op: "grant" }>) {
  const { deps, principal, requestId } = call;
  if (principal.kind !== "admin") return grantNeedsAdmin;
  const accountId = (operation.accountId ?? call.accountId) as typeof call.accountId;
  const id = operation.id as GrantId;
  const late = endsInThePast(operation.expiresAt ?? null, deps.clock.now());
  if (late !== null && !(await isGranted(deps, accountId, id))) return late;
  const notes = operation.notes ?? call.reason ?? undefined;
  const request = { ...operation, notes, id, accountId, by: principal.by, requestId };
  return grantedAnswer(accountId, await grant(deps, request));
}

const grantNeedsAdmin: Problem = {
  problem: "admin_required",
  message: "Granting credits needs an admin key",
  param: "op",
};
