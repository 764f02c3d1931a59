import { addSeconds } from "@bursar/contract/instant";
import { withTransaction } from "@bursar/database/transaction";
import { grant } from "../grant/grant.ts";
import { disableTopUp } from "../topup/store-policies.ts";
import { lookDelaySeconds, nextLookAt, nextStep, retryDelaySeconds, type Step } from "./decide.ts";
import type { AdvanceDeps } from "./deps.ts";
import { applyDisputes, giveAgainWon } from "./disputes.ts";
import { makeUp } from "./make-up.ts";
import { actionNeeded, canceled, declined, granted, reversed } from "./notices.ts";
import { isOpen, type Payment, type PaymentState } from "./payment.ts";
import type { IntentRecord, PaymentFailure } from "./payments.ts";
import { recordOf } from "./record.ts";
import { applyRefunds, takeBackAll } from "./refunds.ts";
import { lend, movePayment, putOff, readPayment } from "./store.ts";
import { lockPayment, readDisputes } from "./store-refunds.ts";

const OPEN: readonly PaymentState[] = ["wanted", "charging", "requires_action"];
const BEFORE_GRANTED: readonly PaymentState[] = [...OPEN, "failed", "canceled"];
const BEFORE_CONFIRMED: readonly PaymentState[] = [...BEFORE_GRANTED, "granted"];
const BEFORE_REVERSED: readonly PaymentState[] = [...OPEN, "granted", "confirmed"];

/** Carries a payment on by what the provider says of it now: charges it if nobody has, gives the credits once the money
 *  is on its way, confirms, takes back. Any number of callers may do so at once and in any order, for every step has
 *  a key of its own; so a crash at any point heals by calling this again.
 *  Returns the payment as it is then. Throws: PaymentsUnavailable, LedgerUnavailable, database unreachable; the payment
 *  is then as far as it came. */
export async function advance(deps: AdvanceDeps, payment: Payment): Promise<Payment> {
  // Before the provider is asked: what was written since is newer than its answer.
  const seen = await readDisputes(deps.pool, payment);
  const { record, isAnswer } = await recordOf(deps, payment);
  if (record !== null) {
    const now = deps.clock.now();
    await take(deps, payment, record, nextStep(payment, record, { isAnswer, now }));
    // Refunds may take of it.
    await giveAgainWon(deps, payment, seen);
    await applyRefunds(deps, payment, record.refunds);
    const isCurrent = await applyDisputes(deps, payment, record.disputes, seen);
    if (!isCurrent || (await makeUp(deps, payment)))
      return advance(deps, (await readPayment(deps.pool, payment.accountId, payment.id))!);
  }
  const after = (await readPayment(deps.pool, payment.accountId, payment.id))!;
  if (after.state === payment.state) await lookAgainLater(deps, after, record);
  return after;
}

async function lookAgainLater(
  deps: AdvanceDeps,
  payment: Payment,
  record: IntentRecord | null,
): Promise<void> {
  const isSettled = !OPEN.includes(payment.state) && payment.state !== "granted";
  const now = deps.clock.now();
  const retryAt = addSeconds(now, retryDelaySeconds(payment.tries));
  const dueAt = payment.state === "charging" ? retryAt : nextLookAt(payment, now);
  await putOff(deps.pool, payment, { dueAt: isSettled ? null : dueAt, intentId: record?.intentId ?? null });
}

async function take(deps: AdvanceDeps, payment: Payment, record: IntentRecord, step: Step): Promise<void> {
  switch (step.kind) {
    case "nothing":
      return;
    case "grant":
      return giveCredits(deps, payment, record, step.provisional);
    case "confirm":
      await movePayment(deps.pool, payment, ["granted"], { state: "confirmed", dueAt: null });
      return;
    case "ask_person":
      return askPerson(deps, payment, record);
    case "fail":
      return fail(deps, payment, record, step.failure);
    case "cancel":
      return cancel(deps, payment, record);
    case "reverse":
      return reverse(deps, payment, record, step.failure);
    case "call_off":
      return callOff(deps, record);
  }
}

/** The ledger first: its key makes a repetition harmless, and a payment that says granted always is. */
async function giveCredits(
  deps: AdvanceDeps,
  payment: Payment,
  record: IntentRecord,
  provisional: boolean,
): Promise<void> {
  // Money that is only promised may fail to come, also after this process has died.
  if (record.status === "processing" && !(await lend(deps.pool, payment, OPEN))) return;
  await grantCredits(deps, payment);
  const now = deps.clock.now();
  const state = provisional ? "granted" : "confirmed";
  const dueAt = provisional ? addSeconds(now, lookDelaySeconds(0)) : null;
  const change = { state, intentId: record.intentId, chargedAt: now, endedAt: now, dueAt } as const;
  await withTransaction(deps.pool, async (client) => {
    const from = provisional ? BEFORE_GRANTED : BEFORE_CONFIRMED;
    if (await movePayment(client, payment, from, change)) await granted(client, deps.clock, payment);
  });
}

async function grantCredits(deps: AdvanceDeps, payment: Payment): Promise<void> {
  const { accountId, grantId, credits: amount, kind, id: reference } = payment;
  const source = kind === "topup" ? "topup" : "purchase";
  const given = { accountId, id: grantId, amount, source, expiresAt: null, reference } as const;
  const outcome = await grant(deps, { ...given, by: "system:payments" });
  if (outcome.kind !== "granted") throw new Error(`${payment.id}: ${outcome.kind} for credits that are paid`);
}

async function askPerson(deps: AdvanceDeps, payment: Payment, record: IntentRecord): Promise<void> {
  const dueAt = addSeconds(deps.clock.now(), lookDelaySeconds(0));
  const change = { state: "requires_action", intentId: record.intentId, dueAt } as const;
  await withTransaction(deps.pool, async (client) => {
    if (await movePayment(client, payment, ["wanted", "charging"], change))
      await actionNeeded(client, deps.clock, payment);
  });
}

/** A decline is an answer: nothing is tried again by itself, and a top-up stops until somebody has looked at it. */
async function fail(
  deps: AdvanceDeps,
  payment: Payment,
  record: IntentRecord,
  failure: PaymentFailure,
): Promise<void> {
  const now = deps.clock.now();
  const change = {
    state: "failed",
    failure,
    intentId: record.intentId,
    endedAt: now,
    dueAt: null,
    unlessLent: true,
  } as const;
  await withTransaction(deps.pool, async (client) => {
    if (!(await movePayment(client, payment, OPEN, change))) return;
    if (payment.kind === "topup") await disableTopUp(client, payment.accountId, failure.code, now);
    await declined(client, deps.clock, payment, failure);
  });
  await callOff(deps, record);
}

async function cancel(deps: AdvanceDeps, payment: Payment, record: IntentRecord): Promise<void> {
  // At the provider first: whoever pays in this very moment is granted by the next look.
  if (record.status !== "canceled" && record.intentId !== null) {
    await deps.payments.cancel(record.intentId);
    const now = await deps.payments.intent(record.intentId);
    if (now !== null && now.status !== "canceled") return;
  }
  const endedAt = deps.clock.now();
  const { intentId, failure } = record;
  const why = failure === null ? {} : { failure };
  const change = { state: "canceled", intentId, endedAt, dueAt: null, unlessLent: true, ...why } as const;
  await withTransaction(deps.pool, async (client) => {
    if (await movePayment(client, payment, OPEN, change))
      await canceled(client, deps.clock, payment, failure);
  });
}

/** The credits were lent on a promise that did not hold. What is spent of them becomes debt. */
async function reverse(
  deps: AdvanceDeps,
  payment: Payment,
  record: IntentRecord,
  failure: PaymentFailure,
): Promise<void> {
  // Whoever was about to give the credits has died, or still will: so they are given now, once, and taken back.
  if (isOpen(payment.state)) await grantCredits(deps, payment);
  if (payment.kind === "topup") await stopBefore(deps, payment, failure);
  await takeBackAll(deps, payment, `The payment failed: ${failure.message}`);
  const now = deps.clock.now();
  const { intentId } = record;
  const change = { state: "reversed", failure, intentId, endedAt: now, dueAt: null } as const;
  await withTransaction(deps.pool, async (client) => {
    if (!(await movePayment(client, payment, BEFORE_REVERSED, change))) return;
    await reversed(client, deps.clock, payment, failure);
  });
  await callOff(deps, record);
}

/** Before the credits go: without them the account is in need, and whoever sees that must not charge the same method. */
async function stopBefore(deps: AdvanceDeps, payment: Payment, failure: PaymentFailure): Promise<void> {
  await withTransaction(deps.pool, async (client) => {
    await lockPayment(client, payment);
    const current = await readPayment(client, payment.accountId, payment.id);
    if (current !== null && BEFORE_REVERSED.includes(current.state))
      await disableTopUp(client, payment.accountId, failure.code, deps.clock.now());
  });
}

/** So that a declined payment cannot be paid later by another way. If this is missed, the next look does it, and money
 *  that comes nevertheless is granted. */
async function callOff(deps: AdvanceDeps, { intentId }: IntentRecord): Promise<void> {
  if (intentId === null) return;
  await deps.payments.cancel(intentId).catch((error: unknown) => {
    deps.log.warn({ err: error, intentId }, "a declined payment could not be called off at the provider");
  });
}
