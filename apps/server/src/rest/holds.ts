import { type HoldId, newHoldId, newOperationId } from "@bursar/contract/ids";
import { credits, iso } from "@bursar/contract/shapes";
import { type ExtendOutcome, extend } from "@bursar/engine/hold/extend";
import { type HoldOutcome, hold } from "@bursar/engine/hold/hold";
import { type ReleaseOutcome, release, type SettleOutcome, settle } from "@bursar/engine/hold/settle";
import type { TokenUsage } from "@bursar/engine/price/decide";
import type { Cost } from "@bursar/engine/price/work";
import { workOf } from "./balance.ts";
import { actor, type Handler, type Success } from "./context.ts";
import { featureUnknown, modelUnknown, type Problem, refused } from "./problem.ts";

export const createHold: Handler<"createHold"> = async (call) => {
  const { deps, body } = call;
  const id = (body.id ?? call.idempotencyKey ?? newHoldId()) as HoldId;
  const { feature, ttlSeconds, metadata, parentId } = body;
  const request = { ...actor(call), id, work: workOf(body), feature, ttlSeconds, metadata };
  return heldAnswer(await hold(deps, { ...request, parentId: parentId as HoldId | undefined }));
};

export function heldAnswer(outcome: HoldOutcome): Success<"createHold"> | Problem {
  if (outcome.kind === "model_unknown") return modelUnknown(outcome.model);
  if (outcome.kind === "feature_unknown") return featureUnknown(outcome.feature);
  if (outcome.kind !== "held") {
    const { affordable } = outcome;
    const problem = refused(outcome, "hold");
    return affordable === undefined ? problem : { ...problem, extra: { ...problem.extra, affordable } };
  }
  const { id, duplicate, amount, expiresAt, available, affordable } = outcome;
  return {
    repeated: duplicate,
    answer: {
      id,
      state: "open",
      amount: credits(amount),
      expiresAt: iso(expiresAt)!,
      available: credits(available),
      affordable,
    },
  };
}

export const extendHold: Handler<"extendHold"> = async (call) => {
  const { deps, body, params } = call;
  const id = body.id ?? call.idempotencyKey ?? newOperationId();
  const { amount = 0n, ttlSeconds, reported } = body;
  const holdId = params.id as HoldId;
  return extendedAnswer(
    holdId,
    await extend(deps, { ...actor(call), id, holdId, amount, ttlSeconds, reported }),
  );
};

function extendedAnswer(id: HoldId, outcome: ExtendOutcome): Success<"extendHold"> | Problem {
  if (outcome.kind !== "extended") return refused(outcome, "extend");
  const { amount, extended, expiresAt, available } = outcome;
  return {
    answer: {
      id,
      state: "open",
      amount: credits(amount),
      extended: credits(extended),
      expiresAt: iso(expiresAt),
      available: credits(available),
    },
  };
}

/** The contract has made sure that there is one of them. */
export function costOf(body: { amount?: bigint | undefined; usage?: TokenUsage | undefined }): Cost {
  if (body.usage !== undefined) return { kind: "usage", ...body.usage };
  return { kind: "amount", amount: body.amount ?? 0n };
}

export const settleHold: Handler<"settleHold"> = async (call) => {
  const { deps, body, params } = call;
  const { caps: _, ...facts } = actor(call);
  const request = { ...facts, holdId: params.id as HoldId, cost: costOf(body) };
  return settledAnswer(request.holdId, await settle(deps, request));
};

export function settledAnswer(id: HoldId, outcome: SettleOutcome): Success<"settleHold"> | Problem {
  if (outcome.kind === "model_unknown") return modelUnknown(outcome.model);
  if (outcome.kind === "feature_unknown") return featureUnknown(outcome.feature);
  if (outcome.kind !== "settled") return refused(outcome, "settle");
  const { charged, released, overrun, available } = outcome;
  return {
    answer: {
      id,
      state: "settled",
      charged: credits(charged),
      released: credits(released),
      overrun: credits(overrun),
      available: credits(available),
    },
  };
}

export const releaseHold: Handler<"releaseHold"> = async (call) => {
  const { caps: _, keyId: __, ...facts } = actor(call);
  const holdId = call.params.id as HoldId;
  return releasedAnswer(holdId, await release(call.deps, { ...facts, holdId }));
};

export function releasedAnswer(id: HoldId, outcome: ReleaseOutcome): Success<"releaseHold"> | Problem {
  if (outcome.kind !== "released") return refused(outcome, "release");
  const { released, available } = outcome;
  return { answer: { id, state: "released", released: credits(released), available: credits(available) } };
}
