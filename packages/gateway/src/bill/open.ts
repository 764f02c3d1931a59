import type { HoldId } from "@bursar/contract/ids";
import type { MicroCredits } from "@bursar/contract/money";
import type { Affordable } from "@bursar/engine/gate/affordable";
import { type HoldOutcome, holdAtPrices } from "@bursar/engine/hold/hold";
import type { Refusal } from "@bursar/engine/ledger/command";
import { affordableInputTokens, type PriceBook, type Rates } from "@bursar/engine/price/decide";
import { type WithTopUp, withTopUp } from "@bursar/engine/topup/cover";
import type { Ask } from "../ask/ask.ts";
import type { EngineDeps, Principal } from "../principal.ts";
import type { GatewaySettings } from "../settings.ts";
import { leftOf, type OpenHold, outputTokensFor } from "./budget.ts";
import { holdLongest } from "./longest.ts";

export interface Opening {
  readonly ask: Ask;
  /** A stream whose output is all seen, so that it can be stopped where credits end. */
  readonly canStop: boolean;
  readonly principal: Principal;
  readonly requestId: string;
  readonly book: PriceBook;
  readonly rates: Rates;
  readonly settings: Pick<
    GatewaySettings,
    "sliceTokens" | "defaultOutputTokens" | "longestOutputTokens" | "holdSeconds"
  >;
}

export type Opened =
  | {
      readonly kind: "open";
      readonly hold: OpenHold;
      /** The most output tokens of a choice, where the upstream must be told: the credits pay for less than the caller
       *  may ask, or nobody else has said how long an answer in one piece may become. */
      readonly outputCap: number | null;
    }
  | {
      readonly kind: "refused";
      readonly refusal: Refusal & WithTopUp;
      readonly affordable?: Affordable | undefined;
    }
  /** This request was here before. Its hold cannot pay for the work twice. */
  | { readonly kind: "repeated" };

type Held = Extract<HoldOutcome, { kind: "held" }>;

/** Input and output tokens to reserve. */
interface Reserve {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** The gate: reserves what the call needs to begin, or as much of it as there is. A stream begins with a slice; an
 *  answer in one piece, or one that is thought out unseen, cannot be stopped midway, so all that it may become is
 *  reserved.
 *  Throws: LedgerUnavailable. */
export async function openHold(engine: EngineDeps, opening: Opening): Promise<Opened> {
  const { ask } = opening;
  const wanted = wantedTokens(opening) * ask.choices;
  let reserve: Reserve = { inputTokens: ask.prompt.quickBound, outputTokens: wanted };
  let outcome: HoldOutcome = await withTopUp(engine.topUps, opening.principal, () =>
    tryHold(engine, opening, reserve),
  );
  const topUp = "topUp" in outcome ? outcome.topUp : undefined;
  // Twice: a cap may leave more than the account has.
  for (let lowered = 0; lowered < 2 && outcome.kind !== "held"; lowered += 1) {
    const lower = await lowerReserve(opening, wanted, leftOf(refusalIn(outcome)));
    if (lower === null) break;
    reserve = lower;
    outcome = await tryHold(engine, opening, reserve);
  }
  if (outcome.kind !== "held")
    return { kind: "refused", refusal: { topUp, ...refusalIn(outcome) }, affordable: affordableIn(outcome) };
  return outcome.duplicate ? { kind: "repeated" } : opened(engine, opening, reserve, { ...outcome, topUp });
}

/** Output tokens of one choice, at first. */
function wantedTokens(opening: Opening): number {
  const limit = limitTokens(opening);
  return opening.canStop ? Math.min(limit, opening.settings.sliceTokens) : limit;
}

/** How long one choice can become. */
function limitTokens({ ask, rates, settings }: Opening): number {
  const models = rates.maxOutputTokens;
  return Math.min(
    ask.outputLimit ?? models ?? settings.defaultOutputTokens,
    models ?? Number.MAX_SAFE_INTEGER,
  );
}

/** What the credits pay for, with the prompt counted and no longer guessed. null: not one token a choice. */
async function lowerReserve(opening: Opening, wanted: number, left: MicroCredits): Promise<Reserve | null> {
  if (left <= 0n) return null;
  const { ask, rates } = opening;
  const inputTokens = await ask.prompt.carefulBoundUpTo(affordableInputTokens(rates, left));
  if (inputTokens === null) return null;
  const affordable = Math.min(outputTokensFor(rates, inputTokens, left), wanted);
  if (affordable < ask.choices) return null;
  return { inputTokens, outputTokens: ask.choices === 0 ? 0 : affordable - (affordable % ask.choices) };
}

async function tryHold(engine: EngineDeps, opening: Opening, reserve: Reserve): Promise<HoldOutcome> {
  const { ask, principal, requestId, book, settings } = opening;
  const { accountId, by, caps } = principal;
  return holdAtPrices(engine, book, {
    ...{ accountId, by, caps, requestId },
    id: holdIdOf(requestId),
    keyId: principal.keyId ?? undefined,
    parentId: principal.run?.holdId,
    ttlSeconds: settings.holdSeconds,
    work: {
      kind: "tokens",
      model: ask.model,
      inputTokens: reserve.inputTokens,
      maxOutputTokens: reserve.outputTokens,
    },
  });
}

/** Named after the request, so that the hold and the receipt are found by the request's id. */
export function holdIdOf(requestId: string): HoldId {
  return `hold_${requestId.replace(/^req_/, "")}` as HoldId;
}

async function opened(
  engine: EngineDeps,
  opening: Opening,
  reserve: Reserve,
  held: Held & WithTopUp,
): Promise<Opened> {
  const { ask, canStop, principal, requestId, book, rates, settings } = opening;
  const guessed = canStop ? Number.POSITIVE_INFINITY : settings.defaultOutputTokens;
  const hold: OpenHold = {
    ...{ requestId, principal, book, rates, holdId: held.id, model: ask.model, prompt: ask.prompt },
    amount: held.amount,
    available: held.available,
    inputTokens: reserve.inputTokens,
    limitTokens: (ask.outputLimit ?? rates.maxOutputTokens ?? guessed) * ask.choices,
    holdSeconds: settings.holdSeconds,
    topUp: held.topUp,
  };
  if (isGuess(opening)) {
    const left = held.usable - held.amount;
    const longest = await holdLongest(engine, hold, left, settings.longestOutputTokens * ask.choices);
    if (longest !== null) return { kind: "open", hold: { ...hold, amount: longest }, outputCap: null };
  }
  return { kind: "open", hold, outputCap: await outputCapOf(engine, opening, hold, held.usable) };
}

/** A stream may grow into what is usable, what cannot be stopped has what it holds. The upstream is told, because what
 *  it thinks without showing is output too, and no count here could stop it. A stream on an account that tops up
 *  by itself is not cut short for what has not been bought yet. */
async function outputCapOf(
  engine: EngineDeps,
  opening: Opening,
  hold: OpenHold,
  usable: MicroCredits,
): Promise<number | null> {
  const { ask, canStop, rates, principal } = opening;
  if (ask.choices === 0) return null;
  const paid = canStop ? usable : hold.amount;
  const capFor = (inputTokens: number) => Math.floor(outputTokensFor(rates, inputTokens, paid) / ask.choices);
  const limit = limitTokens(opening);
  // The caller's limit is in the body, and the model's own is known to it. A guess is known to nobody else.
  const known = isGuess(opening) ? limit : null;
  if (capFor(hold.inputTokens) >= limit) return known;
  if (canStop && (await engine.topUps?.isOn(principal.accountId)) === true) return null;
  const cap = capFor(Math.min(hold.inputTokens, await ask.prompt.carefulBound()));
  return cap >= limit ? known : cap;
}

/** An answer that cannot be stopped, and that nobody limits. */
function isGuess({ ask, canStop, rates }: Opening): boolean {
  return ask.choices > 0 && !canStop && ask.outputLimit === null && rates.maxOutputTokens === null;
}

/** The model was priced by the same book just before: what is no hold is a refusal. */
function refusalIn(outcome: Exclude<HoldOutcome, Held>): Refusal {
  if (outcome.kind === "model_unknown" || outcome.kind === "feature_unknown")
    throw new Error(`no price for ${JSON.stringify(outcome)}`);
  return outcome;
}

function affordableIn(outcome: HoldOutcome): Affordable | undefined {
  return "affordable" in outcome ? outcome.affordable : undefined;
}
