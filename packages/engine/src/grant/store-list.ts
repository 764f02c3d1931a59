import type { AccountId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type { GrantSource } from "../ledger/kinds.ts";
import type { Queryable } from "../mail/store.ts";

/** A grant as it was made; what is left of it, the account knows. */
export interface ListedGrant {
  readonly id: string;
  readonly source: GrantSource;
  readonly granted: MicroCredits;
  readonly priority: number;
  readonly expiresAt: Instant | null;
  /** Features that it is for; null: all. */
  readonly scope: readonly string[] | null;
  readonly allocatedBy: string;
  readonly allocatedAt: Instant;
  readonly notes: string | null;
  readonly reference: string | null;
}

/** Grants of an account in the order of their ids, those after the given one. */
export async function grantsAfter(
  queryable: Queryable,
  accountId: AccountId,
  { after, limit }: { after: string; limit: number },
): Promise<ListedGrant[]> {
  const { rows } = await queryable.query<ListedGrant>(
    `select grant_id as id, source, granted, priority, expires_at as "expiresAt", scope,
       allocated_by as "allocatedBy", allocated_at as "allocatedAt", notes, reference
     from grants where account_id = $1 and grant_id > $2 order by grant_id limit $3`,
    [accountId, after, limit],
  );
  return rows;
}
