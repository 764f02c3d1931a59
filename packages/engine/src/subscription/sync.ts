import { withTransaction } from "@bursar/database/transaction";
import { giveGrace, issueInvoice } from "./credits.ts";
import { type Synced, synced } from "./decide.ts";
import type { SyncDeps } from "./deps.ts";
import { noteReversals } from "./note-reversals.ts";
import { tellChange, tellUnpaid } from "./notices.ts";
import type { InvoiceRecord, ReversalRecord, SubscriptionRecord } from "./payments.ts";
import { restoreSubscription } from "./restore.ts";
import { findByProvider, findSubscription, writeSynced } from "./store.ts";
import { type Invoice, writeInvoice } from "./store-invoices.ts";
import { type Reversal, readReversals } from "./store-reversals.ts";
import type { Subscription } from "./subscription.ts";

/* Whatever an event says, what counts is what the provider says when it is processed: so events may come in any order,
 * any number of times, or not at all. */

/** ignored: it is none of ours. */
export type SyncOutcome = { readonly kind: "synced" } | { readonly kind: "ignored" };

/** How often somebody else may write in between before this gives up for now. */
const ATTEMPTS = 5;

/** Takes in a subscription as the provider knows it now. Throws: PaymentsUnavailable, database unreachable. */
export async function syncSubscription(deps: SyncDeps, providerId: string): Promise<SyncOutcome> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    // Before the provider is asked: what was written since is newer than its answer.
    const known = await findByProvider(deps.pool, providerId);
    const record = await deps.payments.subscription(providerId);
    if (record === null) return { kind: "ignored" };
    const subscription = known ?? (await ofRecord(deps, record));
    if (subscription === null) return { kind: "ignored" };
    if (await apply(deps, subscription, record)) return { kind: "synced" };
  }
  throw new Error(`the subscription ${providerId} changes too fast to be read`);
}

/** The subscription that a record was made for, before its provider's id was written here. */
async function ofRecord(deps: SyncDeps, record: SubscriptionRecord): Promise<Subscription | null> {
  const { accountId, subscriptionId } = record;
  if (accountId === null || subscriptionId === null) return null;
  const found = await findSubscription(deps.pool, accountId, subscriptionId);
  return found ?? restoreSubscription(deps, { ...record, accountId, subscriptionId });
}

/** False when somebody has written since the subscription was read. */
async function apply(
  deps: SyncDeps,
  subscription: Subscription,
  record: SubscriptionRecord,
): Promise<boolean> {
  const next = synced(subscription, record, deps.clock.now());
  const isWritten = await withTransaction(deps.pool, async (client) => {
    if (!(await writeSynced(client, subscription, next))) return false;
    await tellChange(client, deps.clock, subscription, next);
    return true;
  });
  if (isWritten && next.graceUntil !== null) await keepCredits(deps, subscription, next);
  return isWritten;
}

async function keepCredits(deps: SyncDeps, subscription: Subscription, next: Synced): Promise<void> {
  const hasBegun = next.graceUntil !== null && next.graceUntil > deps.clock.now();
  if (hasBegun) await giveGrace(deps, subscription, next.graceUntil);
}

/** Takes in an invoice and the subscription it is for. A paid one gives its credits, once.
 *  Throws: PaymentsUnavailable, LedgerUnavailable, database unreachable; a plan that nobody has chosen here. */
export async function syncInvoice(deps: SyncDeps, invoiceId: string): Promise<SyncOutcome> {
  const record = await deps.payments.invoice(invoiceId);
  if (record?.providerId == null) return { kind: "ignored" };
  const outcome = await syncSubscription(deps, record.providerId);
  if (outcome.kind === "ignored") return outcome;
  const subscription = await findByProvider(deps.pool, record.providerId);
  if (subscription !== null) await takeInvoice(deps, subscription, record);
  return outcome;
}

/** The same for all that the provider has of a subscription, for when its events got lost. */
export async function syncAll(deps: SyncDeps, providerId: string): Promise<SyncOutcome> {
  const outcome = await syncSubscription(deps, providerId);
  const subscription = await findByProvider(deps.pool, providerId);
  if (outcome.kind === "ignored" || subscription === null) return outcome;
  for (const record of (await deps.payments.invoices(providerId)).toReversed()) {
    await takeInvoice(deps, subscription, record);
  }
  return outcome;
}

async function takeInvoice(deps: SyncDeps, subscription: Subscription, record: InvoiceRecord): Promise<void> {
  const invoice = await writeInvoice(deps.pool, subscription, record, deps.clock.now());
  const { reversals } = record;
  const hasReversals = invoice.status === "paid" && reversals !== null && reversals.length > 0;
  if (hasReversals) await takeReversals(deps, invoice, reversals);
  if (invoice.dueAt !== null || hasReversals) await issueInvoice(deps, invoice);
  // The first charge is answered for where it was asked for.
  if (invoice.status === "open" && invoice.attempts > 0 && invoice.reason === "cycle") {
    await tellUnpaid(deps.pool, deps.clock, subscription, invoice);
  }
}

async function takeReversals(
  deps: SyncDeps,
  invoice: Invoice,
  asked: readonly ReversalRecord[],
): Promise<void> {
  // Where nothing is known, nothing was known before the provider was asked.
  let [records, seen]: [typeof asked, readonly Reversal[]] = [asked, []];
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (await noteReversals(deps, invoice, records, seen)) return;
    seen = await readReversals(deps.pool, invoice);
    records = (await deps.payments.invoice(invoice.id))?.reversals ?? [];
  }
  throw new Error(`the refunds and disputes of ${invoice.id} change too fast to be read`);
}
