import { type AccountId, newHoldId, type PaymentId } from "@bursar/contract/ids";
import { addSeconds, type Instant } from "@bursar/contract/instant";
import { withTransaction } from "@bursar/database/transaction";
import type pg from "pg";
import { carryRefund } from "./carry-refund.ts";
import { retryDelaySeconds } from "./decide.ts";
import type { AdvanceDeps } from "./deps.ts";
import { isGranted, type Payment } from "./payment.ts";
import { PaymentsUnavailable } from "./payments.ts";
import type { NewRefundRequest, RefundRequest } from "./refund-request.ts";
import { readPayment } from "./store.ts";
import {
  amountUnderWay,
  insertRequest,
  keepAlias,
  openUnused,
  putOffRequest,
  readRequest,
  takeDueRequests,
} from "./store-refund-requests.ts";
import { lockPayment, readTaken } from "./store-refunds.ts";

export type RefundPaymentOutcome =
  | { readonly kind: "refunded"; readonly payment: Payment }
  | { readonly kind: "payment_unknown" }
  | { readonly kind: "key_conflict"; readonly key: string }
  | { readonly kind: "refund_refused"; readonly message: string };

interface Asking {
  readonly accountId: AccountId;
  readonly paymentId: PaymentId;
  /** The idempotency key. */
  readonly id: string;
  readonly by: string;
}

/** Pays back some or all of a payment; its credits are taken in proportion. Written down before the provider is asked:
 *  whatever crashes, it is done once, and the same id again does nothing more.
 *  Outcomes, first match wins: payment_unknown, key_conflict, refund_refused, refunded.
 *  Throws: PaymentsUnavailable; it then goes on by itself. */
export function refundPayment(
  deps: AdvanceDeps,
  asking: Asking & {
    /** In the currency's minor unit; absent: all that is left. */
    readonly amount?: number | undefined;
    readonly reason: string;
  },
): Promise<RefundPaymentOutcome> {
  const { amount, reason } = asking;
  const asked = JSON.stringify([amount ?? null, reason]);
  return refund(deps, asking, asked, async (client, payment, base) => {
    const left = await leftOf(client, payment);
    if (amount === undefined && left <= 0) return { kind: "nothing_left" };
    if (amount !== undefined && amount > left) {
      const message = `amount: must be at most ${Math.max(0, left)}, what is left of what was paid`;
      return { kind: "refund_refused", message };
    }
    return { ...base, kind: "amount", asked, amount: amount ?? left, holdId: null, reason };
  });
}

/** How long after paying somebody may give unused credits back. */
const RETURN_SECONDS = 14 * 86_400;

export function returnableUntil({ chargedAt, createdAt }: Pick<Payment, "chargedAt" | "createdAt">): Instant {
  return addSeconds(chargedAt ?? createdAt, RETURN_SECONDS);
}

/** Pays back what is unused of a purchase, to its owner, within 14 days: the money in proportion to the credits, rounded
 *  down. The credits are held until the money is on its way, so that they cannot be spent as well.
 *  Outcomes, first match wins: payment_unknown, key_conflict, refund_refused, refunded.
 *  Throws: PaymentsUnavailable; it then goes on by itself. */
export function refundUnused(deps: AdvanceDeps, asking: Asking): Promise<RefundPaymentOutcome> {
  const asked = "unused";
  return refund(deps, asking, asked, async (client, payment, base) => {
    const underWay = await openUnused(client, payment);
    if (underWay !== null) return underWay;
    if (deps.clock.now() > returnableUntil(payment))
      return { kind: "refund_refused", message: "the 14 days for giving credits back are over" };
    const reason = "Unused credits given back";
    return { ...base, kind: "unused", asked, amount: null, holdId: newHoldId(), reason };
  });
}

type Base = Pick<RefundRequest, "accountId" | "paymentId" | "id" | "by" | "createdAt">;

type Decision =
  | { readonly kind: "nothing_left" }
  | Extract<RefundPaymentOutcome, { kind: "refund_refused" | "key_conflict" }>
  | RefundRequest
  | NewRefundRequest;

type Decide = (client: pg.PoolClient, payment: Payment, base: Base) => Promise<Decision>;

async function refund(
  deps: AdvanceDeps,
  { accountId, paymentId, id, by }: Asking,
  asked: string,
  decide: Decide,
): Promise<RefundPaymentOutcome> {
  const payment = await readPayment(deps.pool, accountId, paymentId);
  if (payment === null) return { kind: "payment_unknown" };
  const base = { accountId, paymentId, id, by, createdAt: deps.clock.now() };
  const begun = await begin(deps, payment, base, asked, decide);
  if (begun.kind === "nothing_left") return { kind: "refunded", payment };
  if (begun.kind === "refund_refused" || begun.kind === "key_conflict") return begun;
  const request = await carryOn(deps, payment, begun);
  if (request.state === "refused") return { kind: "refund_refused", message: request.failure!.message };
  return { kind: "refunded", payment: (await readPayment(deps.pool, accountId, paymentId))! };
}

/** How long whoever wrote a request down is alone with it. */
const LEASE_SECONDS = 60;

/** The request as it was written down, now or before. */
function begin(
  deps: AdvanceDeps,
  payment: Payment,
  base: Base,
  asked: string,
  decide: Decide,
): Promise<Exclude<Decision, NewRefundRequest> | RefundRequest> {
  return withTransaction(deps.pool, async (client) => {
    await lockPayment(client, payment);
    const before = await readRequest(client, base);
    if (before !== null) return before.asked === asked ? before : { kind: "key_conflict", key: base.id };
    if (!isGranted(payment.state) || payment.intentId === null)
      return { kind: "refund_refused", message: `the payment is ${payment.state}: nothing was paid` };
    const decision = await decide(client, payment, base);
    if (!("asked" in decision)) return decision;
    if ("state" in decision) {
      // Whoever gets no answer now and asks again under this id hears of the same request.
      await keepAlias(client, base, decision.id);
      return decision;
    }
    await insertRequest(client, decision, LEASE_SECONDS);
    return (await readRequest(client, base))!;
  });
}

/** What was neither paid back nor is about to be. */
async function leftOf(client: pg.PoolClient, payment: Payment): Promise<number> {
  const { refunds } = await readTaken(client, payment);
  const refunded = refunds.reduce((sum, { amount, failed }) => (failed ? sum : sum + amount), 0);
  return payment.amount - refunded - (await amountUnderWay(client, payment));
}

async function carryOn(deps: AdvanceDeps, payment: Payment, request: RefundRequest): Promise<RefundRequest> {
  try {
    return await carryRefund(deps, payment, request);
  } catch (error) {
    if (error instanceof PaymentsUnavailable) await putOff(deps, request);
    throw error;
  }
}

async function putOff(deps: AdvanceDeps, request: RefundRequest): Promise<void> {
  await putOffRequest(deps.pool, request, addSeconds(deps.clock.now(), retryDelaySeconds(request.tries)));
}

/** Longer than the payment provider may take to answer. */
const JOB_LEASE_SECONDS = 120;
const BATCH = 8;

/** Goes on with every refund whose process has died or whose provider was silent. Any number of processes may. Returns
 *  how many it took. Throws: database unreachable. */
export async function carryOnRefunds(deps: AdvanceDeps): Promise<number> {
  const now = deps.clock.now();
  const requests = await takeDueRequests(deps.pool, { now, limit: BATCH, leaseSeconds: JOB_LEASE_SECONDS });
  await Promise.all(requests.map((request) => attempt(deps, request)));
  return requests.length;
}

async function attempt(deps: AdvanceDeps, request: RefundRequest): Promise<void> {
  try {
    const payment = await readPayment(deps.pool, request.accountId, request.paymentId);
    await carryRefund(deps, payment!, request);
  } catch (error) {
    const { paymentId, id, tries } = request;
    deps.log.warn({ err: error, paymentId, refundId: id, tries }, "a refund waits; it is tried again");
    await putOff(deps, request);
  }
}
