import { addSeconds, type Instant } from "@bursar/contract/instant";
import type { Deps } from "../deps.ts";
import { isUnavailable } from "../ledger/unavailable.ts";
import { issueOnce, liveOn } from "../quota/issue.ts";
import { dueInstalments, graceIdOf, grantIdOf, instalmentsOf } from "./decide.ts";
import { settleReversals } from "./reversals.ts";
import { findTerms } from "./store.ts";
import { dueInvoices, type Invoice, lastPaidPeriod, markIssued } from "./store-invoices.ts";
import type { PlanTerms, Subscription } from "./subscription.ts";

type CreditDeps = Pick<Deps, "ledger" | "pool" | "clock" | "log">;

/** Gives what a paid invoice is worth by now. Once, whoever asks and however often: a month's grant is named by the
 *  invoice. Throws: LedgerUnavailable; the terms of the invoice's plan are not known. */
export async function issueInvoice(deps: CreditDeps, invoice: Invoice): Promise<void> {
  const terms = await termsOf(deps, invoice);
  const { due, nextAt } = dueInstalments(invoice, terms, invoice.issued, deps.clock.now());
  const { accountId, id, subscriptionId } = invoice;
  for (const { grantId, amount, expiresAt } of due) {
    const facts = { id: grantId, amount, source: "subscription", expiresAt } as const;
    await issueOnce(deps, accountId, { ...facts, by: "system:subscription", reference: subscriptionId });
  }
  await settleReversals(deps, invoice, terms, invoice.issued + due.length);
  // Last: whoever dies before it leaves the invoice due, and repeats the same grants under the same ids.
  await markIssued(deps.pool, { accountId, id }, invoice.issued + due.length, nextAt);
}

const SWEEP_LIMIT = 100;
const RETRY_SECONDS = 300;

/** Gives the months of yearly plans as they come, and whatever a crash has held up. Any number of processes may.
 *  Returns how many invoices it took up. Throws: LedgerUnavailable, database unreachable. */
export async function issueDueInvoices(deps: CreditDeps): Promise<number> {
  const due = await dueInvoices(deps.pool, deps.clock.now(), SWEEP_LIMIT);
  await Promise.all(due.map((invoice) => issueOrPutOff(deps, invoice)));
  return due.length;
}

/** One whose plan was changed to none of ours keeps no other from being issued. */
async function issueOrPutOff(deps: CreditDeps, invoice: Invoice): Promise<void> {
  try {
    await issueInvoice(deps, invoice);
  } catch (error) {
    if (isUnavailable(error)) throw error;
    deps.log.error({ err: error, invoiceId: invoice.id }, "an invoice's credits are not known; tried again");
    await markIssued(deps.pool, invoice, invoice.issued, addSeconds(deps.clock.now(), RETRY_SECONDS));
  }
}

/** The terms of the plan that an invoice is for. Throws: nobody has ever chosen it here. */
export async function termsOf(
  { pool }: Pick<CreditDeps, "pool">,
  { accountId, subscriptionId: id, planId }: Invoice,
): Promise<PlanTerms> {
  const terms = planId === null ? null : await findTerms(pool, { accountId, id }, planId);
  if (terms === null) throw new Error(`the subscription ${id} has never had the plan ${planId}`);
  return terms;
}

/** While a renewal is unpaid, what expired unused with the period that ended lives on, until grace ends: of the period's
 *  own invoice, and of every change within it. Refunds and disputes have it like the month that it continues. */
export async function giveGrace(
  deps: CreditDeps,
  subscription: Subscription,
  graceUntil: Instant,
): Promise<void> {
  for (const invoice of await lastPaidPeriod(deps.pool, subscription)) {
    const terms = await termsOf(deps, invoice);
    const months = instalmentsOf(invoice, terms);
    await liveOn(deps, subscription.accountId, {
      grantId: grantIdOf(invoice.id, months === 1 ? null : months),
      newId: graceIdOf(invoice.id),
      cap: null,
      source: "subscription",
      expiresAt: graceUntil,
      by: "system:subscription",
    });
    await settleReversals(deps, invoice, terms, invoice.issued);
  }
}
