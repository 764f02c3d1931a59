import type { AccountId } from "@bursar/contract/ids";
import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type pg from "pg";

export interface UsageRow {
  readonly seq: bigint;
  readonly at: Instant;
  readonly reference: string;
  readonly model: string;
  readonly feature: string | null;
  readonly keyId: string | null;
  readonly memberId: string | null;
  readonly inputTokens: bigint;
  readonly cachedInputTokens: bigint;
  readonly outputTokens: bigint;
  readonly amount: MicroCredits;
  readonly priceVersion: number;
}

export interface UsageRowsRequest {
  readonly from: Instant;
  /** Not included. */
  readonly to: Instant;
  /** null: everybody's, also that of keys. */
  readonly personId: string | null;
  /** The last row of the page before; null for the first page. */
  readonly after: Pick<UsageRow, "at" | "seq"> | null;
  readonly limit: number;
}

/** A page of an account's records between two instants, the oldest first, in an order that no later record changes. */
export async function usageRows(
  pool: pg.Pool,
  accountId: AccountId,
  { from, to, personId, after, limit }: UsageRowsRequest,
): Promise<UsageRow[]> {
  const { rows } = await pool.query<UsageRow>(
    `select seq, at, reference, model, feature, key_id as "keyId", person_id as "memberId",
       input_tokens as "inputTokens",
       cached_input_tokens as "cachedInputTokens", output_tokens as "outputTokens", amount,
       price_version as "priceVersion"
     from usage_records
     where account_id = $1 and at >= $2 and at < $3 and (at, seq) > ($4, $5)
       and ($6::text is null or person_id = $6)
     order by at, seq limit $7`,
    [
      accountId,
      formatPostgresTimestamp(after?.at ?? from),
      formatPostgresTimestamp(to),
      formatPostgresTimestamp(after?.at ?? from),
      after?.seq ?? -1n,
      personId,
      limit,
    ],
  );
  return rows;
}
