import type { AccountId, HoldId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type { Queryable } from "../mail/store.ts";

export interface RunRow {
  readonly holdId: HoldId;
  readonly opened: MicroCredits;
  readonly extended: MicroCredits;
  /** Not held by any child; null when the run has ended. */
  readonly left: MicroCredits | null;
  readonly held: MicroCredits;
  readonly children: number;
  /** What its end gave back. */
  readonly released: MicroCredits;
  readonly startedAt: Instant;
  readonly expiresAt: Instant | null;
  readonly endedAt: Instant | null;
  readonly endedBy: string | null;
}

const BELOW = `with recursive below as (
    select hold_id, parent_id, amount, reported, feature, expires_at, created_at
    from holds where account_id = $1 and parent_id = $2
    union all
    select c.hold_id, c.parent_id, c.amount, c.reported, c.feature, c.expires_at, c.created_at
    from below b join holds c on c.account_id = $1 and c.parent_id = b.hold_id
  )`;

/** One statement, so that budget, rest and children are of one moment. */
const FIND = `${BELOW}
  select o.reference as "holdId", o.amount as opened, o.at as "startedAt", h.amount as left,
    coalesce(h.expires_at, o.expires_at) as "expiresAt", c.at as "endedAt", c.by as "endedBy",
    (select coalesce(sum(amount), 0)::int8 from entries x
     where x.account_id = $1 and x.reference = $2 and x.kind = 'extend') as extended,
    (select coalesce(sum(amount), 0)::int8 from entries r
     where r.account_id = $1 and r.seq >= c.seq and r.seq < c.seq + c.group_size and r.kind = 'release') as released,
    (select coalesce(sum(amount), 0)::int8 from below) as held,
    (select count(*)::int4 from below) as children
  from entries o
  left join holds h on h.account_id = o.account_id and h.hold_id = o.reference
  left join entries c on c.account_id = o.account_id and c.key = $4::uuid
  where o.account_id = $1 and o.key = $3::uuid and o.kind = 'hold'
    and ($5::text is null or o.by = $5)`;

/** By the keys of its opening and its closing; one that somebody else started is none where that is asked. */
export async function findRun(
  queryable: Queryable,
  run: { accountId: AccountId; holdId: HoldId; opening: string; closing: string; startedBy: string | null },
): Promise<RunRow | null> {
  const { accountId, holdId, opening, closing, startedBy } = run;
  const { rows } = await queryable.query<RunRow>(FIND, [accountId, holdId, opening, closing, startedBy]);
  return rows[0] ?? null;
}

const LIMIT = 100;

/** The holds of open runs, the latest first. */
export async function listOpenRuns(
  queryable: Queryable,
  accountId: AccountId,
  prefix: string,
): Promise<HoldId[]> {
  const { rows } = await queryable.query<{ holdId: HoldId }>(
    `select hold_id as "holdId" from holds where account_id = $1 and starts_with(hold_id, $2)
     order by created_at desc, hold_id limit $3`,
    [accountId, prefix, LIMIT],
  );
  return rows.map(({ holdId }) => holdId);
}

export interface ChildHold {
  readonly id: HoldId;
  readonly parentId: HoldId;
  readonly amount: MicroCredits;
  readonly reported: MicroCredits;
  readonly feature: string | null;
  readonly expiresAt: Instant | null;
}

/** Open holds below a hold, at any depth, the latest first. */
export async function listChildren(
  queryable: Queryable,
  accountId: AccountId,
  holdId: HoldId,
): Promise<ChildHold[]> {
  const { rows } = await queryable.query<ChildHold>(
    `${BELOW}
     select hold_id as id, parent_id as "parentId", amount, reported, feature, expires_at as "expiresAt"
     from below order by created_at desc, hold_id limit $3`,
    [accountId, holdId, LIMIT],
  );
  return rows;
}
