import { addSeconds } from "@bursar/contract/instant";
import type { Deps } from "../deps.ts";
import { termsOf } from "./credits.ts";
import { freezeMonths, settleReversals } from "./reversals.ts";
import { findInvoice, type Invoice } from "./store-invoices.ts";
import { invoicesToFree, invoicesToFreeze } from "./store-reversals.ts";

/** No bank takes longer to decide. */
const DISPUTE_SECONDS = 300 * 86_400;

type FreezeDeps = Pick<Deps, "ledger" | "pool" | "clock" | "log">;

/** What work had held of a disputed invoice's months and gives back belongs to what is frozen; and what was frozen while
 *  the dispute was being closed, by a process that died before it saw that, is free again. Returns for how many invoices
 *  it froze some. Throws: database unreachable. */
export async function freezeReturnedMonths(deps: FreezeDeps): Promise<number> {
  let count = 0;
  for (const named of await invoicesToFreeze(deps.pool)) if (await apply(deps, named, freezeMonths)) count++;
  const since = addSeconds(deps.clock.now(), -DISPUTE_SECONDS);
  for (const named of await invoicesToFree(deps.pool, since)) await apply(deps, named, settleReversals);
  return count;
}

async function apply<Outcome>(
  deps: FreezeDeps,
  { accountId, id }: Pick<Invoice, "accountId" | "id">,
  work: (
    deps: FreezeDeps,
    invoice: Invoice,
    terms: Awaited<ReturnType<typeof termsOf>>,
    months: number,
  ) => Promise<Outcome>,
): Promise<Outcome | null> {
  try {
    const invoice = await findInvoice(deps.pool, accountId, id);
    return invoice === null ? null : await work(deps, invoice, await termsOf(deps, invoice), invoice.issued);
  } catch (error) {
    deps.log.warn(
      { err: error, invoiceId: id },
      "what is disputed is not frozen as it should be; tried again",
    );
    return null;
  }
}
