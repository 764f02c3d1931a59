import { formatMoney } from "@bursar/contract/fiat";
import { withTransaction } from "@bursar/database/transaction";
import type pg from "pg";
import type { Deps } from "../deps.ts";
import { notify } from "../notice/notify.ts";
import { lastRound } from "../payment/rounds.ts";
import { disableTopUp, lookAgain } from "../topup/store-policies.ts";
import type { ReversalRecord } from "./payments.ts";
import type { Invoice } from "./store-invoices.ts";
import { lockInvoice, type Reversal, readReversals, writeReversals } from "./store-reversals.ts";

type NoteDeps = Pick<Deps, "pool" | "clock">;

/** Takes in what the provider says now of an invoice's refunds and disputes, and tells its people what is new of it.
 *  Auto top-up waits for an open dispute; one that is lost switches it off: nobody charges a card again that has just
 *  charged back.
 *  `seen`: those that were known before the provider was asked. False: what it said may be older than what is known by
 *  now, and it must be asked again. */
export async function noteReversals(
  deps: NoteDeps,
  invoice: Invoice,
  records: readonly ReversalRecord[],
  seen: readonly Reversal[],
): Promise<boolean> {
  const now = deps.clock.now();
  return withTransaction(deps.pool, async (client) => {
    await lockInvoice(client, invoice);
    const known = await readReversals(client, invoice);
    const news = records.map((record) => newsOf(known, record)).filter((one) => one !== null);
    if (news.length > 0 && !isSame(known, seen)) return false;
    const before = new Map(known.map(({ id, state }) => [id, state]));
    await writeReversals(client, invoice, news, now);
    for (const reversal of news) {
      await tellReversal(client, deps, invoice, reversal, before.get(reversal.id));
      if (reversal.kind !== "dispute") continue;
      if (reversal.state === "taken") await disableTopUp(client, invoice.accountId, "dispute_lost", now);
      if (reversal.state === "returned") await lookAgain(client, invoice.accountId);
    }
    return true;
  });
}

/** What the provider's word changes, as it is to be known; null: nothing. While a bank looks again at a dispute that was
 *  lost, what was taken stays taken; one that was won begins anew. */
function newsOf(known: readonly Reversal[], record: ReversalRecord): ReversalRecord | null {
  const { last, nextId } = lastRound(known, record.id);
  if (last === null) return record;
  if (last.state === record.state) return null;
  if (last.state === "returned") return record.kind === "dispute" ? { ...record, id: nextId } : null;
  return record.state === "open" ? null : { ...record, id: last.id };
}

function isSame(known: readonly Reversal[], seen: readonly Reversal[]): boolean {
  const states = new Map(seen.map(({ id, state }) => [id, state]));
  return known.length === seen.length && known.every(({ id, state }) => states.get(id) === state);
}

interface Words {
  readonly kind: "refund" | "dispute_opened" | "dispute_closed";
  readonly title: string;
  readonly text: string;
}

async function tellReversal(
  client: pg.PoolClient,
  { clock }: NoteDeps,
  invoice: Invoice,
  reversal: ReversalRecord,
  was: Reversal["state"] | undefined,
): Promise<void> {
  const words = wordsOf(invoice, reversal, was);
  if (words === null) return;
  const { accountId, id: invoiceId, subscriptionId } = invoice;
  const details = { invoiceId, subscriptionId, reversalId: reversal.id, amount: reversal.amount };
  const id = `${words.kind}:${reversal.id}:${reversal.state}`;
  await notify(client, clock, { ...words, id, accountId, details, mail: true });
}

/** null: a refund that never was, or a dispute that was over before anybody here knew. */
function wordsOf(
  invoice: Invoice,
  reversal: ReversalRecord,
  was: Reversal["state"] | undefined,
): Words | null {
  const amount = formatMoney(reversal.amount, invoice.currency);
  const what = `invoice ${invoice.number ?? invoice.id}`;
  if (reversal.kind === "dispute") return disputeWords(amount, what, reversal.state, was);
  if (reversal.state === "taken") {
    const text = `${amount} of ${what} go back to you, and the same share of its credits is taken back.`;
    return { kind: "refund", title: "A payment was paid back", text };
  }
  if (was !== "taken") return null;
  const text = `The bank has sent ${amount} of ${what} back to us: its credits are yours again.`;
  return { kind: "refund", title: "A refund failed", text };
}

function disputeWords(
  amount: string,
  what: string,
  state: Reversal["state"],
  was: Reversal["state"] | undefined,
): Words {
  const title = "A dispute is closed";
  switch (state) {
    case "open": {
      const text = `${amount} of ${what} are disputed with the bank. What is left of its credits, and auto top-up, wait until that is decided.`;
      return { kind: "dispute_opened", title: "A payment is disputed", text };
    }
    case "returned": {
      const text =
        was === "taken"
          ? `The payment of ${what} stands after all: the credits that were taken back are yours again. Auto top-up stays off until somebody switches it on.`
          : `The payment of ${what} stands: its credits can be used again, and auto top-up goes on.`;
      return { kind: "dispute_closed", title, text };
    }
    case "taken": {
      const text = `The payment of ${what} was charged back: its credits are taken back, what was spent of them is owed, and auto top-up is switched off.`;
      return { kind: "dispute_closed", title, text };
    }
  }
}
