import type { HoldId } from "@bursar/contract/ids";
import type { MicroCredits } from "@bursar/contract/money";
import { extend } from "@bursar/engine/hold/extend";
import { type HoldOutcome, hold, holdAtPrices } from "@bursar/engine/hold/hold";
import { release } from "@bursar/engine/hold/settle";
import {
  affordableOutputTokens,
  costOf,
  type PriceBook,
  type Rates,
  ratesFor,
} from "@bursar/engine/price/decide";
import type { Denial, ModelBilling, Permit, PlannedCall } from "./billing.ts";
import { OpenCall } from "./open-call.ts";
import { type BillingDeps, CALL_SECONDS, FEATURE, type RunBillingRequest, signedBy } from "./purse.ts";
import { denialOf, leftOf, repeated } from "./refusal.ts";
import { closeCall, insist } from "./settlement.ts";
import { Estimate } from "./tokens.ts";

export interface RunBilling extends ModelBilling {
  /** Gives back what is left of the budget. Never throws. */
  close(): Promise<void>;
}

/** Of a budget, renewed with every call. */
const BUDGET_SECONDS = 14_400;
/** Of one answer, where the model has no limit of its own: a whole file fits. */
const MOST_OUTPUT_TOKENS = 16_384;
/** With less than this no answer is worth asking for. */
const LEAST_OUTPUT_TOKENS = 64;
/** Opens the purse of a run. Outcomes: denied, when the budget cannot be reserved; open.
 *  Throws: LedgerUnavailable. That is a no. */
export async function openRunBilling(
  deps: BillingDeps,
  request: RunBillingRequest,
): Promise<{ readonly kind: "open"; readonly billing: RunBilling } | Denial> {
  const { runId, budget, payer } = request;
  if (budget === null) return { kind: "open", billing: billingOf(deps, request, null) };
  const id = holdIdOf(runId);
  const held = await hold(deps, {
    ...signedBy(request),
    ...{ id, caps: payer.caps, feature: FEATURE, ttlSeconds: BUDGET_SECONDS, metadata: { run: runId } },
    work: { kind: "amount", amount: budget },
  });
  if (held.kind !== "held") return denialOf(held);
  if (held.duplicate) return repeated;
  return { kind: "open", billing: billingOf(deps, request, id) };
}

function billingOf(deps: BillingDeps, request: RunBillingRequest, parentId: HoldId | null): RunBilling {
  let renewals = 0;
  const renew = async () => {
    if (parentId === null) return;
    renewals += 1;
    const id = `${parentId}.${renewals}.${deps.clock.now()}`;
    await extend(deps, {
      ...signedBy(request),
      ...{ id, holdId: parentId, amount: 0n, ttlSeconds: BUDGET_SECONDS },
    });
  };
  const open = new Map<Permit, OpenCall>();
  const estimate = new Estimate(deps.countTokens);
  return {
    beforeModelCall: async (call) => {
      await renew();
      const permitted = await permit({ deps, request, parentId, estimate }, call);
      if (permitted.kind === "denied") return permitted;
      open.set(permitted.permit, permitted.open);
      return permitted.permit;
    },
    afterModelCall: async (given, usage) => {
      const call = open.get(given);
      if (call === undefined) throw new Error(`call ${given.callId} is not open`);
      open.delete(given);
      return closeCall(deps, request, call, usage);
    },
    close: async () => {
      if (parentId === null) return;
      await insist(deps.log, { runId: request.runId }, () =>
        release(deps, { ...signedBy(request), holdId: parentId }),
      );
    },
  };
}

/** Input and output tokens to reserve. */
interface Reserve {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

type Permitted = { readonly kind: "permitted"; readonly permit: Permit; readonly open: OpenCall };

/** What the calls of one run have in common. */
interface Purse {
  readonly deps: BillingDeps;
  readonly request: RunBillingRequest;
  readonly parentId: HoldId | null;
  readonly estimate: Estimate;
}

/** Reserves the whole answer, or as long a one as there are credits for. */
async function permit(purse: Purse, call: PlannedCall): Promise<Permitted | Denial> {
  const { deps, request, estimate } = purse;
  const book = await deps.prices.current();
  const rates = ratesFor(book, call.model);
  if (rates === null) return noPrice(call.model);
  const wanted = Math.min(rates.maxOutputTokens ?? MOST_OUTPUT_TOKENS, MOST_OUTPUT_TOKENS);
  let reserve: Reserve = { inputTokens: estimate.quickBound(call), outputTokens: wanted };
  let outcome = await tryHold(purse, call, book, rates, reserve);
  // Twice: a cap may leave more than the account has.
  for (let lowered = 0; lowered < 2 && outcome.kind !== "held"; lowered += 1) {
    const inputTokens = await estimate.carefulBound(call);
    const outputTokens = affordable(rates, inputTokens, leftOf(outcome));
    if (outputTokens < LEAST_OUTPUT_TOKENS) break;
    reserve = { inputTokens, outputTokens: Math.min(outputTokens, wanted) };
    outcome = await tryHold(purse, call, book, rates, reserve);
  }
  if (outcome.kind !== "held") return denialOf(outcome);
  if (outcome.duplicate) return repeated;
  const open = new OpenCall(deps, request, { call, book, rates, holdId: outcome.id, estimate });
  const isShort = reserve.outputTokens < wanted;
  return {
    kind: "permitted",
    open,
    permit: {
      ...{ kind: "permit", callId: call.callId, maxOutputTokens: reserve.outputTokens, isShort },
      heard: (text) => open.heard(text),
    },
  };
}

function affordable(rates: Rates, inputTokens: number, left: MicroCredits): number {
  return left <= 0n ? 0 : affordableOutputTokens({ ...rates, maxOutputTokens: null }, inputTokens, left);
}

function noPrice(model: string): Denial {
  const message = `The model "${model}" has no price, so it cannot be used`;
  return { kind: "denied", reason: "refused", code: "model_unknown", message };
}

/** "run_x" and "req_x" become "hold_x". */
function holdIdOf(name: string): HoldId {
  return `hold_${name.replace(/^(?:run|req)_/, "")}` as HoldId;
}

/** Named after the run and its step, so that a step that is tried again cannot be paid for twice. */
function tryHold(
  { deps, request, parentId }: Purse,
  call: PlannedCall,
  book: PriceBook,
  rates: Rates,
  reserve: Reserve,
): Promise<HoldOutcome> {
  const { runId, payer } = request;
  const { model, agent, callId } = call;
  const { inputTokens, outputTokens: maxOutputTokens } = reserve;
  const isFree = costOf(rates, { ...reserve, cachedInputTokens: 0 }) === 0n;
  return holdAtPrices(deps, book, {
    ...signedBy(request),
    id: holdIdOf(`${runId}.${callId}`),
    caps: payer.caps,
    parentId: parentId ?? undefined,
    feature: FEATURE,
    ttlSeconds: CALL_SECONDS,
    metadata: { run: runId, agent, call: callId },
    // A hold of nothing would be none: free work reserves the smallest amount there is.
    work: isFree ? { kind: "amount", amount: 1n } : { kind: "tokens", model, inputTokens, maxOutputTokens },
  });
}
