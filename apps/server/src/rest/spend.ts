import { newOperationId } from "@bursar/contract/ids";
import { credits } from "@bursar/contract/shapes";
import { type ChargeOutcome, charge } from "@bursar/engine/charge/charge";
import { actor, type Handler, type Success } from "./context.ts";
import { costOf } from "./holds.ts";
import { featureUnknown, modelUnknown, type Problem, refused } from "./problem.ts";

export const spend: Handler<"spend"> = async (call) => {
  const { deps, body } = call;
  const id = body.id ?? call.idempotencyKey ?? newOperationId();
  const { feature, metadata } = body;
  return chargedAnswer(id, await charge(deps, { ...actor(call), id, cost: costOf(body), feature, metadata }));
};

export function chargedAnswer(id: string, outcome: ChargeOutcome): Success<"spend"> | Problem {
  if (outcome.kind === "model_unknown") return modelUnknown(outcome.model);
  if (outcome.kind === "feature_unknown") return featureUnknown(outcome.feature);
  if (outcome.kind !== "charged") return refused(outcome, "spend");
  const { charged, available } = outcome;
  return { answer: { id, charged: credits(charged), available: credits(available) } };
}
