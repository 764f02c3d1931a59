import type { HoldId } from "@bursar/contract/ids";
import { larger } from "@bursar/contract/money";
import { type HoldOutcome, holdAtPrices } from "@bursar/engine/hold/hold";
import { type PriceBook, type Rates, ratesFor } from "@bursar/engine/price/decide";
import type { Denial, Permit, PlannedCall } from "./billing.ts";
import { costWith, payableTokens } from "./call-facts.ts";
import { OpenCall } from "./open-call.ts";
import {
  type BillingDeps,
  CALL_SECONDS,
  FEATURE,
  holdIdOf,
  type RunBillingRequest,
  signedBy,
} from "./purse.ts";
import { SLICE_TOKENS } from "./reach.ts";
import { denialOf, leftOf, repeated } from "./refusal.ts";
import type { Estimate } from "./tokens.ts";
import { buyOrDeny } from "./top-up.ts";

/** Of one answer, where the model has no limit of its own: a whole file fits. */
const MOST_OUTPUT_TOKENS = 16_384;
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

/** Reserves an answer of ordinary length, or as long a one as there are credits for; buys more when there are too few
 *  for any. Decision: 0023. */
export async function permit(purse: Purse, call: PlannedCall): Promise<Permitted | Denial> {
  const { deps, request, parentId } = purse;
  const book = await deps.prices.current();
  const rates = ratesFor(book, call.model);
  if (rates === null) return noPrice(call.model);
  const wanted = Math.min(rates.maxOutputTokens ?? MOST_OUTPUT_TOKENS, MOST_OUTPUT_TOKENS);
  // What a budget has reserved is missing nowhere else: all that the answer may need is taken from it at once.
  const asked: Asked = {
    call,
    book,
    rates,
    first: parentId === null ? Math.min(wanted, SLICE_TOKENS) : wanted,
  };
  let reserved = await reserve(purse, asked);
  if (reserved.outcome.kind !== "held") {
    const denial = await buyOrDeny(request, reserved.outcome, await ordinaryCost(purse, asked));
    if (denial !== null) return denial;
    reserved = await reserve(purse, asked);
  }
  const { outcome } = reserved;
  if (outcome.kind !== "held") return denialOf(outcome);
  if (outcome.duplicate) return repeated;
  return opened(purse, asked, { ...reserved, outcome, wanted });
}

/** A call and its price. */
interface Asked {
  readonly call: PlannedCall;
  readonly book: PriceBook;
  readonly rates: Rates;
  /** Output tokens to reserve at first. */
  readonly first: number;
}

type Held = Extract<HoldOutcome, { kind: "held" }>;

async function opened(
  purse: Purse,
  { call, book, rates }: Asked,
  {
    outcome,
    inputTokens,
    outputTokens,
    wanted,
  }: Reserve & { readonly outcome: Held; readonly wanted: number },
): Promise<Permitted> {
  const { deps, request, parentId, estimate } = purse;
  const limitTokens =
    parentId === null ? await limitOf(purse, { call, rates, wanted, paid: outcome.usable }) : outputTokens;
  const { id: holdId, amount } = outcome;
  const facts = { call, book, rates, holdId, parentId, estimate, inputTokens, amount, limitTokens };
  const open = new OpenCall(deps, request, facts);
  const permit: Permit = {
    ...{ kind: "permit", callId: call.callId, maxOutputTokens: limitTokens },
    isShort: limitTokens < wanted,
    heard: (text) => open.heard(text),
    paid: () => open.paid(),
  };
  return { kind: "permitted", open, permit };
}

/** How long the answer may become: as long as the account can pay for, and where it buys by itself, as long as the
 *  model likes. The model is told, because it can end an answer better than whoever cuts it off. */
async function limitOf(
  { request, estimate }: Purse,
  { call, rates, wanted, paid }: Pick<Asked, "call" | "rates"> & { wanted: number; paid: bigint },
): Promise<number> {
  if (payableTokens(rates, estimate.cheapBound(call), paid) >= wanted) return wanted;
  if ((await request.topUp?.isOn()) === true) return wanted;
  return Math.min(wanted, Math.max(1, payableTokens(rates, await estimate.carefulBound(call), paid)));
}

async function reserve(purse: Purse, asked: Asked): Promise<Reserve & { readonly outcome: HoldOutcome }> {
  const { estimate } = purse;
  const { call, rates, first } = asked;
  let inputTokens = estimate.cheapBound(call);
  let outputTokens = first;
  let outcome = await tryHold(purse, asked, { inputTokens, outputTokens });
  // Twice: a cap may leave more than the account has.
  for (let lowered = 0; lowered < 2 && outcome.kind !== "held"; lowered += 1) {
    inputTokens = await estimate.carefulBound(call);
    const lower = payableTokens(rates, inputTokens, leftOf(outcome));
    if (lower < LEAST_OUTPUT_TOKENS) break;
    outputTokens = Math.min(lower, first);
    outcome = await tryHold(purse, asked, { inputTokens, outputTokens });
  }
  return { outcome, inputTokens, outputTokens };
}

/** What an answer of ordinary length costs. */
async function ordinaryCost({ estimate }: Purse, { call, rates, first }: Asked): Promise<bigint> {
  return larger(costWith(rates, await estimate.carefulBound(call), Math.min(first, SLICE_TOKENS)), 1n);
}

function noPrice(model: string): Denial {
  const message = `The model "${model}" has no price, so it cannot be used`;
  return { kind: "denied", reason: "refused", code: "model_unknown", message };
}

/** Named after the run and its step, so that a step that is tried again cannot be paid for twice. */
function tryHold(
  { deps, request, parentId }: Purse,
  { call, book }: Asked,
  reserve: Reserve,
): Promise<HoldOutcome> {
  const { runId, payer } = request;
  const { model, agent, callId } = call;
  const { inputTokens, outputTokens: maxOutputTokens } = reserve;
  return holdAtPrices(deps, book, {
    ...signedBy(request),
    id: holdIdOf(`${runId}.${callId}`),
    caps: payer.caps,
    parentId: parentId ?? undefined,
    feature: FEATURE,
    ttlSeconds: CALL_SECONDS,
    metadata: { run: runId, agent, call: callId },
    work: { kind: "tokens", model, inputTokens, maxOutputTokens },
  });
}
