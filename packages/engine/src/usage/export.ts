import type { AccountId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { Deps } from "../deps.ts";
import { type UsageRow, usageRows } from "./store-export.ts";

const PAGE = 1000;

/** Every record of an account, or of one person on it, between two instants (the second not included), the oldest first,
 *  a page at a time: one page is in memory, however many there are. Throws: database unreachable, also midway. */
export async function* usagePages(
  { pool }: Pick<Deps, "pool">,
  accountId: AccountId,
  { from, to, personId }: { from: Instant; to: Instant; personId: string | null },
): AsyncGenerator<readonly UsageRow[], void, undefined> {
  let after: UsageRow | null = null;
  for (;;) {
    const rows: UsageRow[] = await usageRows(pool, accountId, { from, to, personId, after, limit: PAGE });
    if (rows.length > 0) yield rows;
    if (rows.length < PAGE) return;
    after = rows.at(-1)!;
  }
}
