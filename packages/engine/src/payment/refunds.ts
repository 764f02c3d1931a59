import { divideRoundingDown, type MicroCredits } from "@bursar/contract/money";
import { withTransaction } from "@bursar/database/transaction";
import { grant } from "../grant/grant.ts";
import type { AdvanceDeps } from "./advance.ts";
import { refunded } from "./notices.ts";
import { isGranted, type Payment } from "./payment.ts";
import type { RefundRecord } from "./payments.ts";
import { readPayment } from "./store.ts";
import { insertRefund, lockRefunds, markRefundFailed, type Refund } from "./store-refunds.ts";

/** Takes back the credits of what was paid back, in proportion: first what is left of that purchase, the rest becomes
 *  debt. Partial refunds add up, and a full one takes every credit. Each refund's credits are decided once, under a
 *  lock, and revoked under the refund's id: any number of times, in any order, to one effect. */
export async function applyRefunds(
  deps: AdvanceDeps,
  payment: Payment,
  records: readonly RefundRecord[],
): Promise<void> {
  if (records.length === 0) return;
  const current = await readPayment(deps.pool, payment.accountId, payment.id);
  if (current === null || !isGranted(current.state)) return;
  const refunds = await decideRefunds(deps, current, records);
  for (const refund of refunds) {
    await revoke(deps, current, refund.credits, `refund:${refund.id}`, "The payment was paid back");
    if (refund.failed) await giveAgain(deps, current, refund);
  }
}

async function decideRefunds(
  deps: AdvanceDeps,
  payment: Payment,
  records: readonly RefundRecord[],
): Promise<Refund[]> {
  return withTransaction(deps.pool, async (client) => {
    const known = await lockRefunds(client, payment);
    const byId = new Map(known.map((refund) => [refund.id, refund]));
    for (const { id, amount, hasFailed } of records) {
      const before = byId.get(id);
      if (before === undefined && hasFailed) continue;
      if (before === undefined) {
        const credits = creditsFor(payment, [...byId.values()], amount);
        const refund = { id, amount, credits, failed: false };
        byId.set(id, refund);
        await insertRefund(client, payment, refund, deps.clock.now());
        await refunded(client, deps.clock, payment, refund);
      } else if (hasFailed && !before.failed) {
        byId.set(id, { ...before, failed: true });
        await markRefundFailed(client, payment, id);
      }
    }
    return [...byId.values()];
  });
}

/** The credits of the refund that comes next: what all together are worth, less what those before have taken. Rounded
 *  down on the way, so that parts never take more than their share, and exact when all is paid back. */
export function creditsFor(
  payment: Pick<Payment, "credits" | "amount">,
  before: readonly Pick<Refund, "amount" | "credits" | "failed">[],
  amount: number,
): MicroCredits {
  const standing = before.filter((refund) => !refund.failed);
  const paidBack = standing.reduce((sum, refund) => sum + refund.amount, amount);
  const taken = standing.reduce((sum, refund) => sum + refund.credits, 0n);
  const share = paidBack >= payment.amount ? payment.credits : proportion(payment, paidBack);
  return share - taken;
}

function proportion({ credits, amount }: Pick<Payment, "credits" | "amount">, part: number): MicroCredits {
  return divideRoundingDown(credits * BigInt(part), BigInt(amount));
}

/** The bank sent the money back to us: the credits come again, as a grant of the refund's own. */
async function giveAgain(deps: AdvanceDeps, payment: Payment, refund: Refund): Promise<void> {
  if (refund.credits === 0n) return;
  const outcome = await grant(deps, {
    accountId: payment.accountId,
    id: `grant_refund_failed_${refund.id}` as Payment["grantId"],
    amount: refund.credits,
    source: payment.kind === "topup" ? "topup" : "purchase",
    expiresAt: null,
    reference: payment.id,
    by: "system:payments",
    notes: "The refund failed",
  });
  if (outcome.kind !== "granted") throw new Error(`${refund.id}: ${outcome.kind} for a refund that failed`);
}

/** All that is left of the payment's credits, and the rest as debt. */
export async function takeBackAll(deps: AdvanceDeps, payment: Payment, note: string): Promise<void> {
  const refunds = await withTransaction(deps.pool, (client) => lockRefunds(client, payment));
  const taken = refunds.reduce((sum, refund) => sum + (refund.failed ? 0n : refund.credits), 0n);
  await revoke(deps, payment, payment.credits - taken, `reverse:${payment.id}`, note);
}

async function revoke(
  deps: AdvanceDeps,
  { accountId, grantId }: Payment,
  amount: MicroCredits,
  id: string,
  note: string,
): Promise<void> {
  if (amount <= 0n) return;
  const command = { kind: "revoke", accountId, id, grantId, amount, note, by: "system:payments" } as const;
  const outcome = await deps.ledger.submit(command);
  if (outcome.kind === "done" || outcome.kind === "duplicate") return;
  throw new Error(`${id}: ${outcome.kind} for credits that were paid back`);
}
