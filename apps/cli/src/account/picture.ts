import type { Client } from "@bursar/client";

/** How much of each list is shown; every command for one of them has the rest. */
const LATEST = 5;

/** An account with everything that explains how it stands. */
export type Picture = Awaited<ReturnType<typeof pictureOf>>;

/** Reads the account's whole picture. What is not set up on the server, such as payments, is null. */
export async function pictureOf(client: Client, accountId: string) {
  // First, so that an account that does not exist is said as such.
  const account = await client.getAccount(accountId);
  const of = { accountId };
  const some = { ...of, limit: LATEST };
  const [balance, entries, payments, attempts, quota, subscription, actions] = await Promise.all([
    client.getBalance(of),
    client.listEntries(some),
    unlessOff(client.listPayments(some)),
    unlessOff(client.listTopUpAttempts(some)),
    client.getQuota(of),
    unlessOff(client.getSubscription(of)),
    client.listAdminActions(some),
  ]);
  const references = [...new Set(entries.entries.map(({ reference }) => reference))];
  const receipts = await Promise.all(references.map((id) => receiptOf(client, accountId, id)));
  return {
    ...account,
    balance,
    entries: entries.entries,
    receipts: receipts.filter((receipt) => receipt !== null),
    payments: payments?.payments ?? null,
    attempts: attempts?.attempts ?? null,
    quota: quota.quota,
    subscription: subscription?.subscription ?? null,
    actions: actions.actions,
  };
}

async function unlessOff<Answer>(asked: Promise<Answer>): Promise<Answer | null> {
  return unless(asked, "payments_off");
}

/** References that the system made up for itself have no receipt of their own. */
function receiptOf(client: Client, accountId: string, id: string) {
  return unless(client.getReceipt(id, { accountId }), "receipt_unknown", "invalid_request");
}

async function unless<Answer>(asked: Promise<Answer>, ...codes: readonly string[]): Promise<Answer | null> {
  try {
    return await asked;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    if (typeof code === "string" && codes.includes(code)) return null;
    throw error;
  }
}
