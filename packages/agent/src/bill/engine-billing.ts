import { randomUUID } from "node:crypto";
import type { HoldId } from "@bursar/contract/ids";
import { extend } from "@bursar/engine/hold/extend";
import { hold } from "@bursar/engine/hold/hold";
import { release } from "@bursar/engine/hold/settle";
import type { Denial, ModelBilling, Permit } from "./billing.ts";
import type { OpenCall } from "./open-call.ts";
import { type BillingDeps, FEATURE, holdIdOf, type RunBillingRequest, signedBy } from "./purse.ts";
import { denialOf, repeated } from "./refusal.ts";
import { permit } from "./reserve.ts";
import { closeCall, insist } from "./settlement.ts";
import { Estimate } from "./tokens.ts";
import { buyOrDeny } from "./top-up.ts";

export interface RunBilling extends ModelBilling {
  /** Gives back what is left of the budget. Never throws. */
  close(): Promise<void>;
  /** Keeps the budget for so long, for whoever goes on with the run. Never throws. */
  leave(seconds: number): Promise<void>;
}

/** Of a budget, renewed with every call. */
const BUDGET_SECONDS = 14_400;

/** Opens the purse of a run. Outcomes: denied, when the budget cannot be reserved; open.
 *  Throws: LedgerUnavailable. That is a no. */
export async function openRunBilling(
  deps: BillingDeps,
  request: RunBillingRequest,
): Promise<{ readonly kind: "open"; readonly billing: RunBilling } | Denial> {
  const { runId, budget, payer } = request;
  if (budget === null) return { kind: "open", billing: billingOf(deps, request, null) };
  const id = holdIdOf(runId);
  const reserve = () =>
    hold(deps, {
      ...signedBy(request),
      ...{ id, caps: payer.caps, feature: FEATURE, ttlSeconds: BUDGET_SECONDS, metadata: { run: runId } },
      work: { kind: "amount", amount: budget },
    });
  let held = await reserve();
  if (held.kind !== "held") {
    const denial = await buyOrDeny(request, held, budget);
    if (denial !== null) return denial;
    held = await reserve();
  }
  if (held.kind !== "held") return denialOf(held);
  if (held.duplicate && request.isResumed !== true) return repeated;
  // Whoever left it has left it a quarter of an hour at most.
  if (held.duplicate) await renew(deps, request, id, BUDGET_SECONDS);
  return { kind: "open", billing: billingOf(deps, request, id) };
}

function billingOf(deps: BillingDeps, request: RunBillingRequest, parentId: HoldId | null): RunBilling {
  const open = new Map<Permit, OpenCall>();
  const estimate = new Estimate(deps.countTokens);
  return {
    beforeModelCall: async (call) => {
      if (parentId !== null) await renew(deps, request, parentId, BUDGET_SECONDS);
      const permitted = await permit({ deps, request, parentId, estimate }, call);
      if (permitted.kind === "denied") return permitted;
      open.set(permitted.permit, permitted.open);
      return permitted.permit;
    },
    afterModelCall: async (given, usage, isLeft) => {
      const call = open.get(given);
      if (call === undefined) throw new Error(`call ${given.callId} is not open`);
      open.delete(given);
      return closeCall(deps, request, call, { reported: usage, isLeft });
    },
    leave: async (seconds) => {
      if (parentId === null) return;
      await insist(deps.log, { runId: request.runId }, () => renew(deps, request, parentId, seconds));
    },
    close: async () => {
      if (parentId === null) return;
      await insist(deps.log, { runId: request.runId }, () =>
        release(deps, { ...signedBy(request), holdId: parentId }),
      );
    },
  };
}

/** Each time under a new key: one that was used in an earlier life would change nothing. */
async function renew(
  deps: BillingDeps,
  request: RunBillingRequest,
  holdId: HoldId,
  ttlSeconds: number,
): Promise<void> {
  const id = `${holdId}.renewal.${randomUUID()}`;
  await extend(deps, { ...signedBy(request), ...{ id, holdId, amount: 0n, ttlSeconds } });
}
