import type { AccountId, HoldId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import { LATE } from "@bursar/engine/hold/late";
import { keyOf } from "@bursar/engine/ledger/entry";
import { closingKey } from "@bursar/engine/ledger/key";
import type pg from "pg";

/** What a session was opened for, as its hold's entry keeps it. */
export interface StreamFacts {
  readonly sessionId: string;
  readonly modelId: string;
  readonly estimatedTokens: number;
}

export interface ActiveStream {
  readonly accountId: AccountId;
  readonly facts: StreamFacts;
  readonly held: MicroCredits;
  readonly reported: MicroCredits;
  readonly startedAt: Instant;
  readonly expiresAt: Instant | null;
}

export interface EndedStream {
  readonly accountId: AccountId;
  readonly sessionId: string;
  readonly charged: MicroCredits;
  readonly metadata: { readonly tokens?: number; readonly status?: string } | null;
  readonly by: string;
  readonly endedAt: Instant;
}

/** The key of an entry group as the ledger makes it: the first 128 bits of SHA-256. */
const keyOfText = (text: string) => `left(encode(sha256(convert_to(${text}, 'UTF8')), 'hex'), 32)::uuid`;

/** Open sessions of one account, or of all; the latest first. Sessions are holds, there is no second list of them; a hold
 *  of the same name that is none says nothing of a model. */
export async function activeStreams(pool: pg.Pool, accountId: AccountId | null): Promise<ActiveStream[]> {
  const { rows } = await pool.query<ActiveStream>(
    `select h.account_id as "accountId", e.metadata as facts, h.amount as held, h.reported,
       h.created_at as "startedAt", h.expires_at as "expiresAt"
     from holds h join entries e on e.account_id = h.account_id and e.key = ${keyOfText("h.hold_id")}
     where h.hold_id like 'stream:%' and e.metadata ->> 'sessionId' is not null and ($1::text is null or h.account_id = $1)
     order by h.created_at desc limit 500`,
    [accountId],
  );
  return rows;
}

/** Sessions that have ended, of one account or of all; the latest first. What came late is told with them. */
export async function endedStreams(
  pool: pg.Pool,
  accountId: AccountId | null,
  limit: number,
): Promise<EndedStream[]> {
  const { rows } = await pool.query<EndedStream>(
    `with ended as (
       select account_id, reference, metadata, by, at, seq, group_size from entries
       where reference like 'stream:%' and reference not like '%' || $3 and key is not null
         and kind in ('settle', 'release') and ($1::text is null or account_id = $1)
       order by at desc limit $2
     )
     select e.account_id as "accountId", substr(e.reference, 8) as "sessionId",
       coalesce(late.metadata, e.metadata) as metadata, e.by, e.at as "endedAt",
       (select coalesce(sum(g.amount), 0)::int8 from entries g
        where g.account_id = e.account_id and g.kind in ('settle', 'spend', 'overrun')
          and (g.seq between e.seq and e.seq + e.group_size - 1
            or g.seq between late.seq and late.seq + late.group_size - 1)) as charged
     from ended e
     left join entries late on late.account_id = e.account_id
       and late.key = ${keyOfText(`'${closingKey("")}' || e.reference || $3`)}
     order by e.at desc`,
    [accountId, limit, LATE],
  );
  return rows;
}

/** What this account's session was opened for; null when it never was. */
export async function streamFacts(
  pool: pg.Pool,
  accountId: AccountId,
  holdId: HoldId,
): Promise<StreamFacts | null> {
  const { rows } = await pool.query<{ metadata: StreamFacts }>(
    "select metadata from entries where account_id = $1 and key = $2 and kind = 'hold'",
    [accountId, keyOf(holdId)],
  );
  return rows[0]?.metadata ?? null;
}

/** Who ended this account's session, and what they said of it; null: nobody has. */
export async function endOf(
  pool: pg.Pool,
  accountId: AccountId,
  holdId: HoldId,
): Promise<{ readonly by: string; readonly metadata: EndedStream["metadata"] } | null> {
  const { rows } = await pool.query("select by, metadata from entries where account_id = $1 and key = $2", [
    accountId,
    keyOf(closingKey(holdId)),
  ]);
  return rows[0] ?? null;
}
