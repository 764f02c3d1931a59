import type { AccountId, GrantId, HoldId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type pg from "pg";
import type { Account, CountedCap, Hold, OpenGrant } from "./account.ts";
import { textArray } from "./array-literal.ts";
import { counterName, type KnownGroup } from "./book.ts";
import { drawsFromText } from "./entry.ts";
import type { EntryKind, GrantSource } from "./kinds.ts";
import { type ResultRow, resultOf } from "./result.ts";

/** A row of a table that every ledger table is led by. */
interface AccountRow {
  account_id: AccountId;
  available: bigint;
  held: bigint;
  owed: bigint;
  issued: bigint;
  spent: bigint;
  expired: bigint;
  revoked: bigint;
  frozen: boolean;
  grants: string;
  seq: bigint;
  hash: string;
  alert_below: bigint | null;
}

interface GrantJson {
  id: GrantId;
  source: GrantSource;
  remaining: string;
  held?: string;
  priority: number;
  expiresAt?: Instant;
  allocatedAt: Instant;
  scope?: string[];
}

const ACCOUNT_COLUMNS = `account_id, available, held, owed, issued, spent, expired, revoked, frozen,
  grants::text as grants, seq, encode(hash, 'hex') as hash, alert_below`;

/** Locks the accounts in id order, in a statement of its own: two processes that lock the same accounts wait for
 *  each other and never deadlock. Accounts that do not exist are simply not in the answer. */
const LOCK_ACCOUNTS = `select ${ACCOUNT_COLUMNS} from accounts
  where account_id = any($1::text[]) order by account_id for update`;

const READ_ACCOUNT = `select ${ACCOUNT_COLUMNS} from accounts where account_id = $1`;

/** Probes the unique index once a pair: `account_id = any() and key = any()` would walk a hot account's history. */
const LOAD_GROUPS = `select l.account_id, l.key::text as key, l.fingerprint, e.seq, e.kind, e.amount, e.hold_after,
    e.expires_at, e.available_after, e.held_after, e.owed_after
  from unnest($1::text[], $2::uuid[]) as named (account_id, key)
  join entries l on l.account_id = named.account_id and l.key = named.key
  join entries e on e.account_id = l.account_id and e.seq >= l.seq and e.seq < l.seq + l.group_size
  order by e.account_id, e.seq`;

/** The open holds that are named, their parents, and everything open below them: closing a hold closes its children. */
const LOAD_HOLDS = `with recursive below (account_id, hold_id) as (
    select * from unnest($1::text[], $2::text[])
    union
    select c.account_id, c.hold_id
    from below b join holds c on c.account_id = b.account_id and c.parent_id = b.hold_id
  ), family as (
    select * from below
    union
    select h.account_id, h.parent_id
    from unnest($1::text[], $2::text[]) as n (account_id, hold_id)
    join holds h using (account_id, hold_id) where h.parent_id is not null
  )
  select account_id, hold_id, parent_id, amount, draws::text as draws, reported, feature, caps, expires_at, created_at
  from family join holds using (account_id, hold_id)`;

const LOAD_COUNTERS = `select account_id, cap_id, window_start, used
  from unnest($1::text[], $2::text[], $3::text[]) as n (account_id, cap_id, window_start)
  join cap_counters using (account_id, cap_id, window_start)`;

/** Keys that may not use credits any more. Read with the batch that they ask for, so that a revocation holds from the
 *  moment it is written, in every process, whatever a cache there says. */
const LOAD_ENDED_KEYS = `select key_id, revoked_at is not null as revoked, expires_at from api_keys
  where key_id = any($1::text[]) and (revoked_at is not null or expires_at is not null)`;

export interface EndedKey {
  readonly revoked: boolean;
  readonly expiresAt: Instant | null;
}

/** Something of an account that a batch's commands name. */
export type Named = readonly [accountId: AccountId, name: string];
export type NamedCounter = readonly [accountId: AccountId, capId: string, windowStart: string];

export interface Wanted {
  readonly accountIds: readonly AccountId[];
  readonly keys: readonly Named[];
  readonly holds: readonly Named[];
  readonly counters: readonly NamedCounter[];
  readonly keyIds: readonly string[];
}

/** One account with what was asked of it; mutable, because a batch builds on it command by command. */
export interface LoadedBook {
  account: Account;
  readonly holds: Map<HoldId, Hold>;
  readonly groups: Map<string, KnownGroup>;
  readonly counters: Map<string, MicroCredits>;
}

export interface Loaded {
  readonly books: Map<AccountId, LoadedBook>;
  readonly endedKeys: ReadonlyMap<string, EndedKey>;
}

/** Begins the transaction, takes the locks and reads everything the commands name, in one round trip. */
export async function loadBooks(client: pg.ClientBase, wanted: Wanted): Promise<Loaded> {
  const [, accounts, groups, holds, counters, keys] = await Promise.all([
    client.query("begin"),
    client.query<AccountRow>({
      name: "ledger_lock",
      text: LOCK_ACCOUNTS,
      values: [textArray(wanted.accountIds)],
    }),
    byNames<GroupRow>(client, "ledger_groups", LOAD_GROUPS, wanted.keys),
    byNames<HoldRow>(client, "ledger_holds", LOAD_HOLDS, wanted.holds),
    byNames<CounterRow>(client, "ledger_counters", LOAD_COUNTERS, wanted.counters),
    byNames<KeyRow>(
      client,
      "ledger_ended_keys",
      LOAD_ENDED_KEYS,
      wanted.keyIds.map((keyId) => [keyId]),
    ),
  ]);
  const books = new Map<AccountId, LoadedBook>();
  for (const row of accounts.rows) {
    books.set(row.account_id, {
      account: toAccount(row),
      holds: new Map(),
      groups: new Map(),
      counters: new Map(),
    });
  }
  addGroups(books, groups);
  for (const row of holds) books.get(row.account_id)?.holds.set(row.hold_id, toHold(row));
  for (const row of counters) {
    books.get(row.account_id)?.counters.set(counterName(row.cap_id, row.window_start), row.used);
  }
  const endedKeys = new Map(
    keys.map((row) => [row.key_id, { revoked: row.revoked, expiresAt: row.expires_at }]),
  );
  return { books, endedKeys };
}

/** One account as it stands, without a lock; null when there is none. */
export async function readAccount(
  client: Pick<pg.ClientBase, "query">,
  id: AccountId,
): Promise<Account | null> {
  const { rows } = await client.query<AccountRow>({ name: "ledger_read", text: READ_ACCOUNT, values: [id] });
  return rows[0] === undefined ? null : toAccount(rows[0]);
}

/** How much of these caps is used, without a lock; a counter that does not exist yet is not in the answer. */
export async function readCounters(
  client: Pick<pg.ClientBase, "query">,
  names: readonly NamedCounter[],
): Promise<Map<string, MicroCredits>> {
  const rows = await byNames<CounterRow>(client, "ledger_counters", LOAD_COUNTERS, names);
  return new Map(rows.map((row) => [counterName(row.cap_id, row.window_start), row.used]));
}

async function byNames<Row extends pg.QueryResultRow>(
  client: Pick<pg.ClientBase, "query">,
  name: string,
  text: string,
  names: readonly (readonly string[])[],
): Promise<Row[]> {
  const first = names[0];
  if (first === undefined) return [];
  const values = first.map((_, column) => textArray(names.map((tuple) => tuple[column]!)));
  const { rows } = await client.query<Row>({ name, text, values });
  return rows;
}

interface GroupRow extends Record<string, unknown> {
  account_id: AccountId;
  key: string;
  fingerprint: bigint | null;
  seq: bigint;
  kind: EntryKind;
  amount: bigint;
  hold_after: bigint | null;
  expires_at: Instant | null;
  available_after: bigint;
  held_after: bigint;
  owed_after: bigint;
}

function addGroups(books: Map<AccountId, LoadedBook>, rows: readonly GroupRow[]): void {
  const byGroup = Map.groupBy(rows, (row) => `${row.account_id} ${row.key}`);
  for (const group of byGroup.values()) {
    const { account_id, key, fingerprint, kind } = group[0]!;
    const result = resultOf(group.map(toResultRow));
    books.get(account_id)?.groups.set(key, { fingerprint, leader: kind, result });
  }
}

function toResultRow(row: GroupRow): ResultRow {
  return {
    seq: row.seq,
    kind: row.kind,
    amount: row.amount,
    holdAfter: row.hold_after,
    expiresAt: row.expires_at,
    availableAfter: row.available_after,
    heldAfter: row.held_after,
    owedAfter: row.owed_after,
  };
}

interface HoldRow extends Record<string, unknown> {
  account_id: AccountId;
  hold_id: HoldId;
  parent_id: HoldId | null;
  amount: bigint;
  draws: string;
  reported: bigint;
  feature: string | null;
  caps: CountedCap[] | null;
  expires_at: Instant | null;
  created_at: Instant;
}

function toHold(row: HoldRow): Hold {
  return {
    id: row.hold_id,
    parentId: row.parent_id,
    amount: row.amount,
    draws: drawsFromText(row.draws),
    reported: row.reported,
    feature: row.feature,
    caps: row.caps ?? [],
    expiresAt: row.expires_at,
    createdAt: row.created_at,
  };
}

interface CounterRow extends Record<string, unknown> {
  account_id: AccountId;
  cap_id: string;
  window_start: string;
  used: bigint;
}

interface KeyRow extends Record<string, unknown> {
  key_id: string;
  revoked: boolean;
  expires_at: Instant | null;
}

function toAccount(row: AccountRow): Account {
  return {
    id: row.account_id,
    available: row.available,
    held: row.held,
    owed: row.owed,
    issued: row.issued,
    spent: row.spent,
    expired: row.expired,
    revoked: row.revoked,
    frozen: row.frozen,
    grants: grantsFromText(row.grants),
    seq: row.seq,
    hash: row.hash,
    alertBelow: row.alert_below,
  };
}

function grantsFromText(text: string): OpenGrant[] {
  return (JSON.parse(text) as GrantJson[]).map((grant) => ({
    id: grant.id,
    source: grant.source,
    remaining: BigInt(grant.remaining),
    held: BigInt(grant.held ?? 0),
    priority: grant.priority,
    expiresAt: grant.expiresAt ?? null,
    allocatedAt: grant.allocatedAt,
    scope: grant.scope ?? null,
  }));
}

/** Written by hand, in the field order of `GrantJson`: absent means none. */
export function grantsToText(grants: readonly OpenGrant[]): string {
  return `[${grants.map(grantToText).join(",")}]`;
}

function grantToText(grant: OpenGrant): string {
  const { id, source, remaining, held, priority, expiresAt, allocatedAt, scope } = grant;
  const heldText = held === 0n ? "" : `,"held":"${held}"`;
  const expiryText = expiresAt === null ? "" : `,"expiresAt":${expiresAt}`;
  const scopeText = scope === null ? "" : `,"scope":${JSON.stringify(scope)}`;
  return `{"id":"${id}","source":"${source}","remaining":"${remaining}"${heldText},"priority":${priority}${expiryText},"allocatedAt":${allocatedAt}${scopeText}}`;
}
