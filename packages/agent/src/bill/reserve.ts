import type { HoldId } from "@bursar/contract/ids";
import { larger, type MicroCredits } from "@bursar/contract/money";
import { type HoldOutcome, holdAtPrices } from "@bursar/engine/hold/hold";
import {
  affordableOutputTokens,
  costOf,
  type PriceBook,
  type Rates,
  ratesFor,
} from "@bursar/engine/price/decide";
import type { Denial, Permit, PlannedCall } from "./billing.ts";
import { OpenCall } from "./open-call.ts";
import {
  type BillingDeps,
  CALL_SECONDS,
  FEATURE,
  holdIdOf,
  type RunBillingRequest,
  signedBy,
} from "./purse.ts";
import { denialOf, leftOf, repeated } from "./refusal.ts";
import type { Estimate } from "./tokens.ts";
import { buyOrDeny } from "./top-up.ts";

/** Of one answer, where the model has no limit of its own: a whole file fits. */
const MOST_OUTPUT_TOKENS = 16_384;
/** What is bought for, when credits are bought. */
const ORDINARY_OUTPUT_TOKENS = 2048;
/** With less than this no answer is worth asking for. */
const LEAST_OUTPUT_TOKENS = 64;

/** Input and output tokens to reserve. */
interface Reserve {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

type Permitted = { readonly kind: "permitted"; readonly permit: Permit; readonly open: OpenCall };

/** What the calls of one run have in common. */
export interface Purse {
  readonly deps: BillingDeps;
  readonly request: RunBillingRequest;
  readonly parentId: HoldId | null;
  readonly estimate: Estimate;
}

/** Reserves the whole answer, or as long a one as there are credits for; buys more when there are too few for any. */
export async function permit(purse: Purse, call: PlannedCall): Promise<Permitted | Denial> {
  const { deps, request, estimate } = purse;
  const book = await deps.prices.current();
  const rates = ratesFor(book, call.model);
  if (rates === null) return noPrice(call.model);
  const asked: Asked = {
    call,
    book,
    rates,
    wanted: Math.min(rates.maxOutputTokens ?? MOST_OUTPUT_TOKENS, MOST_OUTPUT_TOKENS),
  };
  let reserved = await reserve(purse, asked);
  if (reserved.outcome.kind !== "held") {
    const denial = await buyOrDeny(
      request,
      reserved.outcome,
      await shortfall(purse, asked, reserved.outcome),
    );
    if (denial !== null) return denial;
    reserved = await reserve(purse, asked);
  }
  const { outcome, outputTokens } = reserved;
  if (outcome.kind !== "held") return denialOf(outcome);
  if (outcome.duplicate) return repeated;
  const open = new OpenCall(deps, request, { call, book, rates, holdId: outcome.id, estimate });
  return {
    kind: "permitted",
    open,
    permit: {
      ...{ kind: "permit", callId: call.callId, maxOutputTokens: outputTokens },
      isShort: outputTokens < asked.wanted,
      heard: (text) => open.heard(text),
    },
  };
}

/** A call and its price. */
interface Asked {
  readonly call: PlannedCall;
  readonly book: PriceBook;
  readonly rates: Rates;
  /** Output tokens of an answer as long as it may be. */
  readonly wanted: number;
}

async function reserve(
  purse: Purse,
  asked: Asked,
): Promise<{ readonly outcome: HoldOutcome; readonly outputTokens: number }> {
  const { estimate } = purse;
  const { call, rates, wanted } = asked;
  let outputTokens = wanted;
  let outcome = await tryHold(purse, asked, { inputTokens: estimate.quickBound(call), outputTokens });
  // Twice: a cap may leave more than the account has.
  for (let lowered = 0; lowered < 2 && outcome.kind !== "held"; lowered += 1) {
    const inputTokens = await estimate.carefulBound(call);
    const lower = affordable(rates, inputTokens, leftOf(outcome));
    if (lower < LEAST_OUTPUT_TOKENS) break;
    outputTokens = Math.min(lower, wanted);
    outcome = await tryHold(purse, asked, { inputTokens, outputTokens });
  }
  return { outcome, outputTokens };
}

/** What is missing for an answer of ordinary length. */
async function shortfall(
  { estimate }: Purse,
  { call, rates, wanted }: Asked,
  refusal: HoldOutcome,
): Promise<MicroCredits> {
  const inputTokens = await estimate.carefulBound(call);
  const outputTokens = Math.min(wanted, ORDINARY_OUTPUT_TOKENS);
  const cost = costOf(rates, { inputTokens, cachedInputTokens: 0, outputTokens });
  const available = refusal.kind === "insufficient_credits" ? refusal.available : 0n;
  return larger(cost - available, 1n);
}

function affordable(rates: Rates, inputTokens: number, left: MicroCredits): number {
  return left <= 0n ? 0 : affordableOutputTokens({ ...rates, maxOutputTokens: null }, inputTokens, left);
}

function noPrice(model: string): Denial {
  const message = `The model "${model}" has no price, so it cannot be used`;
  return { kind: "denied", reason: "refused", code: "model_unknown", message };
}

/** Named after the run and its step, so that a step that is tried again cannot be paid for twice. */
function tryHold(
  { deps, request, parentId }: Purse,
  { call, book, rates }: Asked,
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
