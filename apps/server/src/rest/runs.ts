import { newRunId } from "@bursar/contract/ids";
import { credits, iso } from "@bursar/contract/shapes";
import { findAccount } from "@bursar/engine/account/store";
import * as engine from "@bursar/engine/run/run";
import { actor, type Handler } from "./context.ts";
import { featureUnknown, modelUnknown, type Problem, refused } from "./problem.ts";

export const createRun: Handler<"createRun"> = async (call) => {
  const { budget, ttlSeconds, feature, metadata } = call.body;
  const id = call.body.id ?? call.idempotencyKey ?? newRunId();
  const terms = { id, budget, ttlSeconds, feature, metadata };
  const outcome = await engine.startRun(call.deps, { ...actor(call), ...terms });
  switch (outcome.kind) {
    case "started":
      return { repeated: outcome.duplicate, answer: answerOf(outcome.run) };
    case "model_unknown":
      return modelUnknown(outcome.model);
    case "feature_unknown":
      return featureUnknown(outcome.feature);
    default:
      return refused(outcome, "hold");
  }
};

function answerOf(run: engine.Run) {
  const { budget, spent, held, left, startedAt, expiresAt, endedAt, ...rest } = run;
  const amounts = {
    budget: credits(budget),
    spent: credits(spent),
    held: credits(held),
    left: credits(left),
  };
  return {
    ...rest,
    ...amounts,
    startedAt: iso(startedAt)!,
    expiresAt: iso(expiresAt),
    endedAt: iso(endedAt),
  };
}

export const listRuns: Handler<"listRuns"> = async (call) => {
  const { deps, accountId } = call;
  const runs = await engine.listRuns(deps, actor(call));
  if (runs.length === 0 && (await findAccount(deps.pool, accountId)) === null)
    return refused({ kind: "account_unknown", accountId });
  return { answer: { runs: runs.map(answerOf) } };
};

export const getRun: Handler<"getRun"> = async (call) => {
  const { deps, params } = call;
  const found = await engine.readRunWithHolds(deps, params.id, actor(call));
  if (found === null) return runUnknown(params.id);
  const holds = found.holds.map(({ amount, reported, expiresAt, ...child }) => ({
    ...child,
    amount: credits(amount),
    reported: credits(reported),
    expiresAt: iso(expiresAt),
  }));
  return { answer: { ...answerOf(found.run), holds } };
};

export const endRun: Handler<"endRun"> = async (call) => {
  const { accountId, requestId, by, countedIn } = actor(call);
  const { id } = call.params;
  const run = await engine.endRun(call.deps, { accountId, requestId, by, countedIn, id });
  return run === null ? runUnknown(id) : { answer: answerOf(run) };
};

export function runUnknown(id: string): Problem {
  return { problem: "run_unknown", message: `The account has no run ${id}`, param: "id" };
}
