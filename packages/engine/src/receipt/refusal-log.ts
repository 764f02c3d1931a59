import type { AccountId } from "@bursar/contract/ids";
import { newOperationId } from "@bursar/contract/ids";
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

/** Keeps why something was refused. Resolves when it is written; what arrives meanwhile is written together, so that
 *  a caller hammering an empty account costs one insert a round trip and not one a refusal. Never throws: a receipt
 *  that cannot be written must not change the answer, which is no already. */
export interface RefusalLog {
  write(record: RefusalRecord): Promise<void>;
}

const BATCH_LIMIT = 1000;
const QUEUE_LIMIT = 20_000;

export function openRefusalLog(deps: {
  pool: pg.Pool;
  log: { warn(facts: object, message: string): void };
}): RefusalLog {
  let waiting: RefusalRecord[] = [];
  let writing: Promise<void> | null = null;
  const writeAll = async () => {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, BATCH_LIMIT);
      waiting = waiting.slice(BATCH_LIMIT);
      await insertRefusals(deps.pool, batch).catch((error: unknown) => {
        deps.log.warn({ err: error, lost: batch.length }, "receipts of refusals could not be written");
      });
    }
    writing = null;
  };
  return {
    write: async (record) => {
      if (waiting.length >= QUEUE_LIMIT) return;
      waiting.push(record);
      await (writing ??= Promise.resolve().then(writeAll));
    },
  };
}

async function insertRefusals(pool: pg.Pool, records: readonly RefusalRecord[]): Promise<void> {
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
