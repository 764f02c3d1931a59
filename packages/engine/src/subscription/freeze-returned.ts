import type { Deps } from "../deps.ts";
import { termsOf } from "./credits.ts";
import { freezeMonths, settleReversals } from "./reversals.ts";
import { findInvoice } from "./store-invoices.ts";
import { invoicesToFreeze } from "./store-reversals.ts";

type FreezeDeps = Pick<Deps, "ledger" | "pool" | "clock" | "log">;

/** What work had held of a disputed invoice's months and gives back belongs to what is frozen. Returns for how many
 *  invoices it froze some. Throws: database unreachable. */
export async function freezeReturnedMonths(deps: FreezeDeps): Promise<number> {
  let count = 0;
  for (const { accountId, id } of await invoicesToFreeze(deps.pool)) {
    try {
      const invoice = await findInvoice(deps.pool, accountId, id);
      if (invoice === null) continue;
      const terms = await termsOf(deps, invoice);
      if (!(await freezeMonths(deps, invoice, terms, invoice.issued))) continue;
      count++;
      // A dispute that was closed meanwhile is not left frozen.
      await settleReversals(deps, invoice, terms, invoice.issued);
    } catch (error) {
      deps.log.warn({ err: error, invoiceId: id }, "returned credits are not frozen yet; tried again");
    }
  }
  return count;
}
