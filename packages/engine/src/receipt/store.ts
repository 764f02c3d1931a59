import type { AccountId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type pg from "pg";
import type { Receipt } from "./receipt.ts";

interface Row {
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

/** The newest refusal under a request id or an operation's id. */
export async function findRefusal(pool: pg.Pool, accountId: AccountId, id: string): Promise<Receipt | null> {
  const { rows } = await pool.query<Row>(
    `select reference, request_id, operation, code, amount, feature, detail, at, by from refusals
     where account_id = $1 and (request_id = $2 or reference = $2) order by at desc limit 1`,
    [accountId, id],
  );
  return rows[0] === undefined ? null : denied(accountId, rows[0]);
}

function denied(accountId: AccountId, row: Row): Receipt {
  const { decision, metadata, ...stoodAgainst } = row.detail;
  const { policy = {}, ...pricing } = (decision ?? {}) as { policy?: Record<string, unknown> };
  return {
    id: row.reference,
    accountId,
    requestId: row.request_id,
    decision: "deny",
    reason: row.code,
    operation: row.operation,
    amount: row.amount,
    charged: 0n,
    feature: row.feature,
    at: row.at,
    by: row.by,
    draws: [],
    pricing: "priceVersion" in pricing ? pricing : null,
    policy: { ...policy, ...stoodAgainst },
    metadata,
    entries: [],
  };
}
