import type { AccountId } from "@bursar/contract/ids";
import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type { Queryable } from "../mail/store.ts";

export type UsageGrouping = "day" | "month" | "model" | "feature" | "key" | "member";

export interface UsageGroup {
  readonly group: string;
  readonly amount: MicroCredits;
  readonly requests: bigint;
  readonly inputTokens: bigint;
  readonly cachedInputTokens: bigint;
  readonly outputTokens: bigint;
}

const GROUPS: Record<UsageGrouping, string> = {
  day: "to_char(at, 'YYYY-MM-DD')",
  month: "to_char(at, 'YYYY-MM')",
  model: "model",
  feature: "coalesce(feature, '')",
  key: "coalesce(key_id, '')",
  member: "coalesce(person_id, '')",
};

export interface UsageQuestion {
  readonly from: Instant;
  /** Not included. */
  readonly to: Instant;
  readonly grouping: UsageGrouping;
  /** null: everybody's, also that of keys. */
  readonly personId: string | null;
}

/** What an account's AI work used between two instants, by group. Micro-credits. */
export async function usageBetween(
  queryable: Queryable,
  accountId: AccountId,
  { from, to, grouping, personId }: UsageQuestion,
): Promise<UsageGroup[]> {
  const { rows } = await queryable.query<UsageGroup>(
    `select ${columns(grouping)} from usage_records where account_id = $1 and at >= $2 and at < $3
       and ($4::text is null or person_id = $4)
     group by 1 order by 1`,
    [accountId, formatPostgresTimestamp(from), formatPostgresTimestamp(to), personId],
  );
  return rows;
}

/** The same over all accounts. Reads every record of the period. */
export async function usageOfAll(
  queryable: Queryable,
  from: Instant,
  to: Instant,
  grouping: UsageGrouping,
): Promise<UsageGroup[]> {
  const { rows } = await queryable.query<UsageGroup>(
    `select ${columns(grouping)} from usage_records where at >= $1 and at < $2 group by 1 order by 1`,
    [formatPostgresTimestamp(from), formatPostgresTimestamp(to)],
  );
  return rows;
}

function columns(grouping: UsageGrouping): string {
  return `${GROUPS[grouping]} as "group", sum(amount)::int8 as amount, count(*) as requests,
    sum(input_tokens)::int8 as "inputTokens", sum(cached_input_tokens)::int8 as "cachedInputTokens",
    sum(output_tokens)::int8 as "outputTokens"`;
}
