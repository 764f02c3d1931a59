import type { AccountId, GrantId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type { Deps } from "../deps.ts";
import { counterName } from "../ledger/book.ts";
import { revokedCounter } from "../ledger/caps.ts";
import { readCounters } from "../ledger/store-load.ts";
import { issueOnce, liveOn } from "../quota/issue.ts";
import { dueInstalments, grantIdOf, instalment, instalmentsOf, takenOf } from "./decide.ts";
import { findTerms } from "./store.ts";
import { dueInvoices, type Invoice, latestPaid, markIssued } from "./store-invoices.ts";
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
  await takeBack(deps, invoice, terms, invoice.issued + due.length);
  // Last: whoever dies before it leaves the invoice due, and repeats the same grants under the same ids.
  await markIssued(deps.pool, { accountId, id }, invoice.issued + due.length, nextAt);
}

/** Takes of each month's credits the share of the invoice that was paid back: first what is left of them, and what is spent
 *  becomes debt; what expired unused is nobody's. How much was taken before, the ledger knows; so parts add up, and
 *  asking again takes nothing more. */
async function takeBack(deps: CreditDeps, invoice: Invoice, terms: PlanTerms, months: number): Promise<void> {
  const { accountId, takenBack, amountPaid } = invoice;
  for (let index = 0; takenBack > 0 && index < months; index++) {
    const { grantId, amount } = instalment(invoice, terms, index);
    const counter = revokedCounter(grantId);
    const counted = await readCounters(deps.pool, [[accountId, counter, "total"]]);
    const taken = counted.get(counterName(counter, "total")) ?? 0n;
    const had = amount - (await expiredOf(deps, accountId, grantId));
    const missing = takenOf(had, takenBack, amountPaid) - taken;
    if (missing > 0n) await revoke(deps, invoice, grantId, missing);
  }
}

/** What a grant past its expiry had left unused. */
async function expiredOf(deps: CreditDeps, accountId: AccountId, grantId: GrantId): Promise<MicroCredits> {
  const command = { kind: "expire", accountId, grantId, by: "system:subscription" } as const;
  const first = await deps.ledger.submit(command);
  const outcome = first.kind === "done" ? await deps.ledger.submit(command) : first;
  return outcome.kind === "duplicate" ? outcome.result.expired : 0n;
}

async function revoke(
  deps: CreditDeps,
  { accountId, takenBack }: Invoice,
  grantId: GrantId,
  amount: MicroCredits,
): Promise<void> {
  const id = `refund:${grantId}:${takenBack}`;
  const outcome = await deps.ledger.submit({
    ...{ kind: "revoke", accountId, id, grantId, amount, by: "system:subscription" },
    // Of two at once both have counted the same, or the second has nothing left to take.
    asked: id,
    note: "The invoice was paid back",
  });
  if (outcome.kind === "done" || outcome.kind === "duplicate") return;
  deps.log.error(
    { accountId, grantId, refusal: outcome.kind },
    "credits that were paid back could not be taken",
  );
}

const SWEEP_LIMIT = 100;

/** Gives the months of yearly plans as they come, and whatever a crash has held up. Any number of processes may.
 *  Returns how many invoices it took up. */
export async function issueDueInvoices(deps: CreditDeps): Promise<number> {
  const due = await dueInvoices(deps.pool, deps.clock.now(), SWEEP_LIMIT);
  await Promise.all(due.map((invoice) => issueInvoice(deps, invoice)));
  return due.length;
}

async function termsOf(
  { pool }: CreditDeps,
  { accountId, subscriptionId: id, planId }: Invoice,
): Promise<PlanTerms> {
  const terms = planId === null ? null : await findTerms(pool, { accountId, id }, planId);
  if (terms === null) throw new Error(`the subscription ${id} has never had the plan ${planId}`);
  return terms;
}

/** While a renewal is unpaid, what expired unused with the period that ended lives on, until grace ends. */
export async function giveGrace(
  deps: CreditDeps,
  subscription: Subscription,
  graceUntil: Instant,
): Promise<void> {
  const invoice = await latestPaid(deps.pool, subscription);
  if (invoice === null) return;
  const months = instalmentsOf(invoice, await termsOf(deps, invoice));
  const accountId: AccountId = subscription.accountId;
  await liveOn(deps, accountId, {
    grantId: grantIdOf(invoice.id, months === 1 ? null : months),
    newId: `grant_grace_${invoice.id}` as GrantId,
    cap: null,
    source: "subscription",
    expiresAt: graceUntil,
    by: "system:subscription",
  });
}
