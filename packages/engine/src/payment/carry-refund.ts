import type { GrantId } from "@bursar/contract/ids";
import type { MicroCredits } from "@bursar/contract/money";
import { readAccount } from "../ledger/store-load.ts";
import { advance } from "./advance.ts";
import type { AdvanceDeps } from "./deps.ts";
import { releases } from "./freeze.ts";
import type { Payment } from "./payment.ts";
import { type PaymentFailure, PaymentsUnavailable } from "./payments.ts";
import {
  CALL_OFF_MICROSECONDS,
  LEASE_MICROSECONDS,
  PATIENCE_MICROSECONDS,
  PROVIDER_FAILED,
} from "./record.ts";
import type { RefundRequest } from "./refund-request.ts";
import { holdIdFor } from "./refunds.ts";
import { endRequest, isMade, readRequest, setAmount } from "./store-refund-requests.ts";
import { readTaken } from "./store-refunds.ts";
import { givenBy } from "./taken.ts";

/** Carries a refund on from wherever it is: counts what is unused, asks the provider, takes the credits. Any number of
 *  callers may do so at once, for every step has a key of its own; so a crash at any point heals by calling this again.
 *  Returns the request as it is then. Throws: PaymentsUnavailable, LedgerUnavailable, database unreachable. */
export async function carryRefund(
  deps: AdvanceDeps,
  payment: Payment,
  request: RefundRequest,
): Promise<RefundRequest> {
  if (request.state !== "wanted") return request;
  const amount = request.amount ?? (await countUnused(deps, payment, request));
  if (typeof amount !== "number") return refuse(deps, request, amount);
  const failure = await askProvider(deps, payment, { ...request, amount });
  // Also where it was refused: the provider may know of a refund that nobody here has seen, which takes its credits
  // before what is held is free.
  await advance(deps, payment);
  if (await isMade(deps.pool, request)) return end(deps, request, { state: "done", failure: null });
  return refuse(deps, request, failure ?? (await unseenFailure(deps, payment, request)));
}

const SENT_BACK = { code: "refund_failed", message: "the bank has sent the money back" };

/** It was made and took no credits: it has failed before anybody saw it, or is not listed yet. */
async function unseenFailure(
  deps: AdvanceDeps,
  { intentId }: Payment,
  { id }: RefundRequest,
): Promise<PaymentFailure> {
  const record = await deps.payments.intent(intentId!);
  const hasFailed = record?.refunds.some((refund) => refund.requestId === id && refund.hasFailed);
  if (hasFailed !== true)
    throw new PaymentsUnavailable("the refund is not listed yet: it is looked for again");
  return SENT_BACK;
}

async function refuse(
  deps: AdvanceDeps,
  request: RefundRequest,
  failure: PaymentFailure,
): Promise<RefundRequest> {
  const why = { by: request.by, note: "Nothing is paid back" };
  const held = request.holdId === null ? [] : [request.holdId];
  const free = await releases(deps, request.accountId, held, why);
  await Promise.all(free());
  return end(deps, request, { state: "refused", failure });
}

async function end(
  deps: AdvanceDeps,
  request: RefundRequest,
  how: { readonly state: "done" | "refused"; readonly failure: PaymentFailure | null },
): Promise<RefundRequest> {
  await endRequest(deps.pool, request, { ...how, now: deps.clock.now() });
  return (await readRequest(deps.pool, request))!;
}

const NOTHING_LEFT = { code: "nothing_left", message: "nothing is left of this purchase" };
const TOO_LITTLE = { code: "too_little", message: "what is left is worth less than the smallest coin" };

/** Holds the unused credits until the money is on its way, so that they cannot be spent as well, and says what they are
 *  worth: the money in proportion, rounded down. */
async function countUnused(
  deps: AdvanceDeps,
  payment: Payment,
  request: RefundRequest,
): Promise<number | PaymentFailure> {
  const held = await holdUnused(deps, payment, request);
  if (held === 0n) return NOTHING_LEFT;
  const amount = Number((BigInt(payment.amount) * held) / payment.credits);
  if (amount < 1) return TOO_LITTLE;
  await setAmount(deps.pool, request, amount);
  return amount;
}

/** More often than the credits can change between looking and holding, when work goes on meanwhile. */
const TRIES = 20;

/** All that is free of the credits that the purchase has given; 0: none is. */
async function holdUnused(
  deps: AdvanceDeps,
  payment: Payment,
  request: RefundRequest,
): Promise<MicroCredits> {
  let held = 0n;
  for (const [grantId] of givenBy(payment, await readTaken(deps.pool, payment)))
    held += await holdGrant(deps, payment, request, grantId as GrantId);
  return held;
}

async function holdGrant(
  deps: AdvanceDeps,
  payment: Payment,
  { accountId, holdId }: RefundRequest,
  grantId: GrantId,
): Promise<MicroCredits> {
  const { id: paymentId } = payment;
  const id = holdIdFor(holdId!, payment, grantId);
  for (let tries = 1; tries <= TRIES; tries++) {
    const account = await readAccount(deps.pool, accountId);
    const remaining = account?.grants.find((open) => open.id === grantId)?.remaining ?? 0n;
    // Asked even where nothing is left: all of it may be held already, by this very request.
    const amount = remaining === 0n ? 1n : remaining;
    const outcome = await deps.ledger.submit({
      ...{ kind: "hold", accountId, id, grantId, amount, expiresAt: null, by: "system:payments" },
      asked: `return ${paymentId}`,
      note: "Credits are given back",
    });
    if (outcome.kind === "done" || outcome.kind === "duplicate") return outcome.result.amount;
    if (outcome.kind !== "insufficient_credits" && outcome.kind !== "grant_unknown")
      throw new Error(`${paymentId}: ${outcome.kind} for credits that are given back`);
    if (remaining === 0n) return 0n;
  }
  throw new Error(`${paymentId}: the rest of the purchase changes too fast to hold`);
}

/** null: the money is on its way. */
async function askProvider(
  deps: AdvanceDeps,
  { intentId, ...payment }: Payment,
  { id, amount, by, reason, tries, createdAt }: RefundRequest & { readonly amount: number },
): Promise<PaymentFailure | null> {
  if (intentId === null) throw new Error(`${payment.id}: nothing was paid`);
  const age = deps.clock.now() - createdAt;
  if (tries > 0 || age >= LEASE_MICROSECONDS) {
    // The answer to an earlier try may have been lost with the process, or be an error that its key repeats for ever.
    const record = await deps.payments.intent(intentId);
    if (record?.refunds.some(({ requestId }) => requestId === id) === true) return null;
  }
  if (deps.clock.now() - createdAt >= PATIENCE_MICROSECONDS) {
    if (age >= CALL_OFF_MICROSECONDS) return PROVIDER_FAILED;
    throw new PaymentsUnavailable("the refund may still have been made: it is looked for again");
  }
  const outcome = await deps.payments.refund({ refundId: id, intentId, amount, by, reason });
  return outcome.kind === "refunded" ? null : outcome;
}
