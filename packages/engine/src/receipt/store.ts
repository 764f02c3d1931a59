import { type AccountId, newOperationId } from "@bursar/contract/ids";
import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type pg from "pg";

export interface RefusalRecord {
  readonly accountId: AccountId;
  readonly reference: string;
  readonly requestId: string | null;
  readonly operation: string;
  readonly code: string;
  readonly amount: MicroCredits | null;
  readonly feature: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly at: Instant;
  readonly by: string;
}

export interface RefusalRow {
  reference: string;
  request_id: string | null;
  operation: string;
  code: string;
  amount: bigint | null;
  feature: string | null;
  detail: { decision: Record<string, unknown> | null; metadata: Record<string, unknown> | null };
  at: Instant;
  by: string;
}

const COLUMNS = "reference, request_id, operation, code, amount, feature, detail, at, by";

/** The newest refusal under a request id or an operation's id. */
export async function findRefusal(
  pool: pg.Pool,
  accountId: AccountId,
  id: string,
): Promise<RefusalRow | null> {
  const { rows } = await pool.query<RefusalRow>(
    `select ${COLUMNS} from refusals
     where account_id = $1 and (request_id = $2 or reference = $2) order by at desc limit 1`,
    [accountId, id],
  );
  return rows[0] ?? null;
}

export interface ListedRefusal extends RefusalRow {
  readonly id: string;
}

/** Refusals of an account in the order of their ids, those after the given one. */
export async function refusalsAfter(
  pool: pg.Pool,
  accountId: AccountId,
  { after, limit }: { after: string; limit: number },
): Promise<ListedRefusal[]> {
  const { rows } = await pool.query<ListedRefusal>(
    `select refusal_id as id, ${COLUMNS} from refusals
     where account_id = $1 and refusal_id > $2 order by refusal_id limit $3`,
    [accountId, after, limit],
  );
  return rows;
}

export async function insertRefusals(pool: pg.Pool, records: readonly RefusalRecord[]): Promise<void> {
  const column = <T>(value: (record: RefusalRecord) => T) => records.map(value);
  await pool.query({
    name: "refusals_insert",
    text: `insert into refusals
      (account_id, refusal_id, reference, request_id, operation, code, amount, feature, detail, at, by)
      select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int8[],
        $8::text[], $9::json[], $10::timestamptz[], $11::text[])`,
    values: [
      column((record) => record.accountId),
      column(() => newOperationId()),
      column((record) => record.reference),
      column((record) => record.requestId),
      column((record) => record.operation),
      column((record) => record.code),
      column((record) => record.amount),
      column((record) => record.feature),
      column((record) => JSON.stringify(record.detail)),
      column((record) => formatPostgresTimestamp(record.at)),
      column((record) => record.by),
    ],
  });
}
