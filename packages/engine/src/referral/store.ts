import type { AccountId } from "@bursar/contract/ids";
import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type pg from "pg";
import { purchasedBy } from "../grant/store-purchased.ts";
import type { Queryable } from "../mail/store.ts";
import type { ReferralState, TrackState } from "./decide.ts";

/** Changes nothing where the account has a code, or where somebody else has this one. */
export async function insertCode(
  pool: pg.Pool,
  { accountId, code, at }: { accountId: AccountId; code: string; at: Instant },
): Promise<void> {
  await pool.query(
    "insert into referral_codes (account_id, code, created_at) values ($1, $2, $3) on conflict do nothing",
    [accountId, code, formatPostgresTimestamp(at)],
  );
}

export async function findCode(queryable: Queryable, accountId: AccountId): Promise<string | null> {
  const { rows } = await queryable.query<{ code: string }>(
    "select code from referral_codes where account_id = $1",
    [accountId],
  );
  return rows[0]?.code ?? null;
}

type ReadState = Omit<TrackState, "accountId" | "condition" | "referrerId"> & {
  readonly referrerId: AccountId | null;
};

/** All that the decision reads. Under serializable isolation, nothing of it changes before the commit. */
export async function readTrackState(
  client: Queryable,
  { accountId, code }: { accountId: AccountId; code: string },
): Promise<ReadState> {
  const { rows } = await client.query<{ referrerId: AccountId }>(
    `select account_id as "referrerId" from referral_codes where code = $1`,
    [code],
  );
  const referrerId = rows[0]?.referrerId ?? null;
  const before = await client.query<{ referrerId: string; state: ReferralState }>(
    `select referrer_id as "referrerId", state from referrals where account_id = $1`,
    [accountId],
  );
  return {
    referrerId,
    before: before.rows[0] ?? null,
    ancestors: referrerId === null ? [] : await ancestorsOf(client, referrerId),
    rewarded: referrerId === null ? 0 : await countRewarded(client, referrerId),
    hasPurchased: (await purchasedBy(client, accountId)) > 0n,
  };
}

/** Who brought this account, who brought that one, and so on. `union` ends even where there were a circle. */
async function ancestorsOf(client: Queryable, accountId: AccountId): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `with recursive above (id) as (
       select referrer_id from referrals where account_id = $1
       union
       select r.referrer_id from above join referrals r on r.account_id = above.id
     ) select id from above`,
    [accountId],
  );
  return rows.map(({ id }) => id);
}

async function countRewarded(client: Queryable, referrerId: AccountId): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    "select count(*)::int4 as count from referrals where referrer_id = $1 and state = 'rewarded'",
    [referrerId],
  );
  return rows[0]!.count;
}

/** Due at once: the condition may be met already. */
export async function insertReferral(
  client: Queryable,
  { accountId, referrerId, at }: { accountId: AccountId; referrerId: AccountId; at: Instant },
): Promise<void> {
  await client.query("insert into referrals (account_id, referrer_id, at, due_at) values ($1, $2, $3, $3)", [
    accountId,
    referrerId,
    formatPostgresTimestamp(at),
  ]);
}

export interface DueReferral {
  readonly accountId: AccountId;
  readonly referrerId: AccountId;
  readonly at: Instant;
}

export async function takeDueReferrals(pool: pg.Pool, now: Instant, limit: number): Promise<DueReferral[]> {
  const { rows } = await pool.query<DueReferral>(
    `select account_id as "accountId", referrer_id as "referrerId", at from referrals
     where due_at <= $1 order by due_at limit $2`,
    [formatPostgresTimestamp(now), limit],
  );
  return rows;
}

export async function lookAgain(pool: pg.Pool, accountId: AccountId, dueAt: Instant): Promise<void> {
  await pool.query("update referrals set due_at = $2 where account_id = $1 and state = 'pending'", [
    accountId,
    formatPostgresTimestamp(dueAt),
  ]);
}

/** A referral that is still open, and how many of its referrer's are rewarded; null when it is closed. */
export async function readOpenReferral(
  client: Queryable,
  accountId: AccountId,
): Promise<{ rewarded: number } | null> {
  const { rows } = await client.query<{ referrerId: AccountId }>(
    `select referrer_id as "referrerId" from referrals where account_id = $1 and state = 'pending'`,
    [accountId],
  );
  return rows[0] === undefined ? null : { rewarded: await countRewarded(client, rows[0].referrerId) };
}

export async function closeReferral(
  client: Queryable,
  { accountId, state, at }: { accountId: AccountId; state: "rewarded" | "unrewarded"; at: Instant },
): Promise<void> {
  await client.query("update referrals set state = $2, closed_at = $3, due_at = null where account_id = $1", [
    accountId,
    state,
    formatPostgresTimestamp(at),
  ]);
}

export interface ReferralRecord {
  readonly state: ReferralState;
  readonly at: Instant;
  readonly closedAt: Instant | null;
}

const RECORD = `state, at, closed_at as "closedAt"`;

/** The latest hundred that this account has brought. */
export async function listReferrals(queryable: Queryable, referrerId: AccountId): Promise<ReferralRecord[]> {
  const { rows } = await queryable.query<ReferralRecord>(
    `select ${RECORD} from referrals where referrer_id = $1 order by at desc limit 100`,
    [referrerId],
  );
  return rows;
}

export async function findReferral(
  queryable: Queryable,
  accountId: AccountId,
): Promise<ReferralRecord | null> {
  const { rows } = await queryable.query<ReferralRecord>(
    `select ${RECORD} from referrals where account_id = $1`,
    [accountId],
  );
  return rows[0] ?? null;
}

export async function countReferrals(
  queryable: Queryable,
  referrerId: AccountId,
): Promise<{ pending: number; rewarded: number }> {
  const { rows } = await queryable.query<{ pending: number; rewarded: number }>(
    `select count(*) filter (where state = 'pending')::int4 as pending,
       count(*) filter (where state = 'rewarded')::int4 as rewarded
     from referrals where referrer_id = $1`,
    [referrerId],
  );
  return rows[0]!;
}
