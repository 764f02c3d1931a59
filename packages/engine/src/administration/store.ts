import type { AccountId } from "@bursar/contract/ids";
import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type pg from "pg";
import type { Queryable } from "../mail/store.ts";
import type { Administrator, Ending, Intent } from "./action.ts";

/** All of them or none. */
export async function insertActions(
  queryable: Queryable,
  { by, name, keyId, requestId }: Administrator,
  actions: readonly (Intent & { readonly id: string })[],
  at: Instant,
): Promise<void> {
  const column = <T>(value: (action: Intent & { readonly id: string }) => T) => actions.map(value);
  await queryable.query(
    `insert into admin_actions
       (action_id, at, by, by_name, request_id, operation, account_id, target, reason, fields)
     select id, $1, $2, coalesce($3, (select nullif(name, '') from api_keys where key_id = $4)), $5,
       operation, account_id, target, reason, fields
     from unnest($6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::json[])
       as v (id, operation, account_id, target, reason, fields)`,
    [
      formatPostgresTimestamp(at),
      by,
      name,
      keyId,
      requestId,
      column(({ id }) => id),
      column(({ operation }) => operation),
      column(({ accountId }) => accountId),
      column(({ target }) => target),
      column(({ reason }) => reason),
      column(({ fields }) => JSON.stringify(fields)),
    ],
  );
}

export async function insertEndings(
  queryable: Queryable,
  endings: readonly (Ending & { readonly id: string })[],
  at: Instant,
): Promise<void> {
  await queryable.query(
    `insert into admin_action_outcomes (action_id, at, outcome, account_id, result)
     select id, $1, outcome, account_id, result
     from unnest($2::text[], $3::text[], $4::text[], $5::text[]) as v (id, outcome, account_id, result)`,
    [
      formatPostgresTimestamp(at),
      endings.map(({ id }) => id),
      endings.map(({ outcome }) => outcome),
      endings.map(({ accountId }) => accountId ?? null),
      endings.map(({ result }) => result ?? null),
    ],
  );
}

export interface ActionRecord extends Intent {
  readonly id: string;
  /** By which they are in order. */
  readonly number: bigint;
  readonly at: Instant;
  readonly by: string;
  readonly byName: string | null;
  readonly requestId: string;
  /** null: under way, or nobody knows. */
  readonly outcome: string | null;
  readonly result: string | null;
  readonly endedAt: Instant | null;
}

export interface ActionsAsked {
  readonly accountId: AccountId | null;
  readonly by: string | null;
  readonly operation: string | null;
  /** Where the page before ended. */
  readonly before: bigint | null;
  readonly limit: number;
}

const OF_ACCOUNT = `and a.action_id in (
  select action_id from admin_actions where account_id = $5
  union all select action_id from admin_action_outcomes where account_id = $5)`;

/** The latest first. */
export async function listActions(pool: pg.Pool, asked: ActionsAsked): Promise<ActionRecord[]> {
  const { accountId, by, operation, before, limit } = asked;
  const { rows } = await pool.query<ActionRecord>(
    `select a.action_id as id, a.number, a.at, a.by, a.by_name as "byName", a.operation,
       coalesce(a.account_id, o.account_id) as "accountId", a.target, a.reason, a.request_id as "requestId", a.fields,
       o.outcome, o.result, o.at as "endedAt"
     from admin_actions a left join admin_action_outcomes o using (action_id)
     where ($1::text is null or a.by = $1) and ($2::text is null or a.operation = $2)
       and ($3::int8 is null or a.number < $3)
       ${accountId === null ? "" : OF_ACCOUNT}
     order by a.number desc limit $4`,
    [by, operation, before, limit, ...(accountId === null ? [] : [accountId])],
  );
  return rows;
}
