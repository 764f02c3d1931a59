import type { AccountId, HoldId } from "@bursar/contract/ids";
import { type Instant, parsePostgresTimestamp } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type pg from "pg";
import type { Account, CountedCap, Hold } from "./account.ts";
import { quotedArray } from "./array-literal.ts";
import { counterName } from "./book.ts";
import { drawsFromText } from "./entry.ts";
import { grantsFromText } from "./grants-text.ts";
import type { EntryKind } from "./kinds.ts";
import type { KnownBooks } from "./known-books.ts";
import { addGroup, type LoadedBook, NO_COUNTERS, newBook, setCounter } from "./loaded-book.ts";
import { OpenHolds } from "./open-holds.ts";
import { type ResultRow, resultOf } from "./result.ts";
import { roundTrip, type Statement } from "./round-trip.ts";

const ACCOUNT_COLUMNS = `account_id, available, held, owed, issued, spent, expired, revoked, frozen,
  grants, seq, encode(hash, 'hex'), alert_below, topup_below`;

/** Locks the accounts in id order, in a statement of its own: two processes that lock the same accounts wait for
 *  each other and never deadlock. Accounts that do not exist are simply not in the answer. */
const LOCK_ACCOUNTS = `select ${ACCOUNT_COLUMNS} from accounts
  where account_id = any($1::text[]) order by account_id for update`;

const READ_ACCOUNT = `select ${ACCOUNT_COLUMNS} from accounts where account_id = $1`;

/** Probes the unique index once a pair: `account_id = any() and key = any()` would walk a hot account's history. */
const LOAD_GROUPS = `select l.account_id, l.key, l.fingerprint, e.seq, e.kind, e.amount, e.hold_after,
    e.expires_at, e.available_after, e.held_after, e.owed_after
  from unnest($1::text[], $2::uuid[]) as named (account_id, key)
  join entries l on l.account_id = named.account_id and l.key = named.key
  join entries e on e.account_id = l.account_id and e.seq >= l.seq and e.seq < l.seq + l.group_size
  order by e.account_id, e.seq`;

/** The open holds that are named, their parents, and everything open below them: closing a hold closes its children.
 *  Materialized, or a plan made for an empty table looks for parents in the index of children and walks all of them. */
const LOAD_HOLDS = `with recursive below (account_id, hold_id) as (
    select * from unnest($1::text[], $2::text[])
    union
    select c.account_id, c.hold_id
    from below b join holds c on c.account_id = b.account_id and c.parent_id = b.hold_id
  ), named as materialized (
    select h.account_id, h.parent_id
    from unnest($1::text[], $2::text[]) as n (account_id, hold_id) join holds h using (account_id, hold_id)
  ), family as (
    select * from below
    union
    select * from named where parent_id is not null
  )
  select account_id, hold_id, parent_id, amount, draws, reported, feature, caps, expires_at, created_at,
    (account_id, hold_id) in (select * from below) as whole
  from family join holds using (account_id, hold_id)`;

const COUNT_HOLDS = `select n.account_id, (select count(*) from holds h where h.account_id = n.account_id)
  from unnest($1::text[]) as n (account_id)`;

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

export interface Loaded {
  readonly books: Map<AccountId, LoadedBook>;
  readonly endedKeys: ReadonlyMap<string, EndedKey>;
}

export const BEGIN: Statement = { name: "ledger_begin", text: "begin", values: [] };

const LOCK = { name: "ledger_lock", text: LOCK_ACCOUNTS };
const GROUPS = { name: "ledger_groups", text: LOAD_GROUPS };
const HOLDS = { name: "ledger_holds", text: LOAD_HOLDS };
const OPEN_HOLDS = { name: "ledger_open_holds", text: COUNT_HOLDS };
const COUNTERS = { name: "ledger_counters", text: LOAD_COUNTERS };
const ENDED_KEYS = { name: "ledger_ended_keys", text: LOAD_ENDED_KEYS };

export const LOAD_STATEMENTS = [BEGIN, LOCK, GROUPS, HOLDS, OPEN_HOLDS, COUNTERS, ENDED_KEYS];

/** Begins the transaction, takes the locks and reads everything the commands name, in one round trip. What is already
 *  known of an account goes on, if the account has not moved since. */
export async function loadBooks(client: pg.ClientBase, wanted: Wanted, known: KnownBooks): Promise<Loaded> {
  const books = new Map<AccountId, LoadedBook>();
  const groups: GroupRow[] = [];
  const endedKeys = new Map<string, EndedKey>();
  const keyIds = wanted.keyIds.map((keyId) => [keyId]);
  const accountIds = wanted.accountIds.map((accountId) => [accountId]);
  await roundTrip(client, [
    BEGIN,
    lockAccounts(wanted.accountIds, books, known),
    ...byNames(GROUPS, wanted.keys, (row) => groups.push(toGroupRow(row))),
    ...byNames(HOLDS, wanted.holds, (row) => addHold(books, row)),
    ...byNames(OPEN_HOLDS, accountIds, (row) => addOpenHolds(books, row)),
    ...byNames(COUNTERS, wanted.counters, (row) => addCounter(books, row)),
    ...byNames(ENDED_KEYS, keyIds, (row) => addEndedKey(endedKeys, row)),
  ]);
  addGroups(books, groups);
  addUnusedCounters(books, wanted.counters);
  return { books, endedKeys };
}

type Row = readonly (string | null)[];

const nothingRemembered = () => ({ holds: new OpenHolds(), counters: NO_COUNTERS });

function lockAccounts(
  accountIds: readonly AccountId[],
  books: Map<AccountId, LoadedBook>,
  known: KnownBooks,
): Statement {
  const onRow = (row: Row) => {
    const account = toAccount(row);
    const before = known.get(account.id);
    const isCurrent = before?.account.hash === account.hash;
    const { holds, counters } = isCurrent ? before : nothingRemembered();
    books.set(account.id, newBook(account, holds, counters));
  };
  return { ...LOCK, values: [quotedArray(accountIds)], onRow };
}

/** One array a column; no statement at all where nothing is named. */
function byNames(
  statement: Pick<Statement, "name" | "text">,
  names: readonly (readonly string[])[],
  onRow: (row: Row) => void,
): Statement[] {
  const first = names[0];
  if (first === undefined) return [];
  const values = first.map((_, column) => quotedArray(names.map((tuple) => tuple[column]!)));
  return [{ ...statement, values, onRow }];
}

/** One account as it stands, without a lock; null when there is none. */
export async function readAccount(
  queryable: Pick<pg.Pool | pg.PoolClient, "query">,
  id: AccountId,
): Promise<Account | null> {
  const { rows } = await queryable.query<(string | null)[]>({
    name: "ledger_read",
    text: READ_ACCOUNT,
    values: [id],
    rowMode: "array",
    types: AS_TEXT,
  });
  return rows[0] === undefined ? null : toAccount(rows[0]);
}

/** How much of these caps is used, without a lock; a counter that does not exist yet is not in the answer. */
export async function readCounters(
  pool: pg.Pool,
  names: readonly NamedCounter[],
): Promise<Map<string, MicroCredits>> {
  const { rows } = await pool.query<(string | null)[]>({
    ...COUNTERS,
    values: [0, 1, 2].map((column) => quotedArray(names.map((tuple) => tuple[column]!))),
    rowMode: "array",
    types: AS_TEXT,
  });
  return new Map(rows.map((row) => [counterName(row[1]!, row[2]!), BigInt(row[3]!)]));
}

/** Rows as the ledger's own round trips give them: the same readers serve both. */
const AS_TEXT = { getTypeParser: () => (text: string) => text } as unknown as pg.CustomTypesConfig;

interface GroupRow extends ResultRow {
  readonly accountId: AccountId;
  readonly key: string;
  readonly fingerprint: bigint | null;
}

function toGroupRow(row: Row): GroupRow {
  return {
    accountId: row[0] as AccountId,
    key: row[1]!,
    fingerprint: toBigInt(row[2]),
    seq: BigInt(row[3]!),
    kind: row[4] as EntryKind,
    amount: BigInt(row[5]!),
    holdAfter: toBigInt(row[6]),
    expiresAt: toInstant(row[7]),
    availableAfter: BigInt(row[8]!),
    heldAfter: BigInt(row[9]!),
    owedAfter: BigInt(row[10]!),
  };
}

function addGroups(books: Map<AccountId, LoadedBook>, rows: readonly GroupRow[]): void {
  if (rows.length === 0) return;
  for (const group of Map.groupBy(rows, (row) => `${row.accountId} ${row.key}`).values()) {
    const { accountId, key, fingerprint, kind } = group[0]!;
    const book = books.get(accountId);
    if (book !== undefined) addGroup(book, key, { fingerprint, leader: kind, result: resultOf(group) });
  }
}

function addHold(books: Map<AccountId, LoadedBook>, row: Row): void {
  const hold: Hold = {
    id: row[1] as HoldId,
    parentId: row[2] as HoldId | null,
    amount: BigInt(row[3]!),
    draws: drawsFromText(row[4] ?? null),
    reported: BigInt(row[5]!),
    feature: row[6] ?? null,
    caps: capsFromText(row[7] ?? null),
    expiresAt: toInstant(row[8]),
    createdAt: parsePostgresTimestamp(row[9]!),
  };
  const holds = books.get(row[0] as AccountId)?.holds;
  if (row[10] === "t") holds?.putWhole(hold);
  else holds?.putPartial(hold);
}

function addOpenHolds(books: Map<AccountId, LoadedBook>, row: Row): void {
  const book = books.get(row[0] as AccountId);
  if (book !== undefined) book.openHolds = Number(row[1]);
}

function addCounter(books: Map<AccountId, LoadedBook>, row: Row): void {
  const book = books.get(row[0] as AccountId);
  if (book !== undefined) setCounter(book, counterName(row[1]!, row[2]!), BigInt(row[3]!));
}

/** A counter without a row has counted nothing yet, and that is worth remembering. */
function addUnusedCounters(books: Map<AccountId, LoadedBook>, named: readonly NamedCounter[]): void {
  for (const [accountId, capId, windowStart] of named) {
    const book = books.get(accountId);
    const name = counterName(capId, windowStart);
    if (book?.counters.has(name) === false) setCounter(book, name, 0n);
  }
}

function addEndedKey(endedKeys: Map<string, EndedKey>, row: Row): void {
  endedKeys.set(row[0]!, { revoked: row[1] === "t", expiresAt: toInstant(row[2]) });
}

function capsFromText(text: string | null): CountedCap[] {
  if (text === null) return [];
  const caps = JSON.parse(text) as (Omit<CountedCap, "amount"> & { amount: string })[];
  return caps.map((cap) => ({ ...cap, amount: BigInt(cap.amount) }));
}

const toBigInt = (text: string | null | undefined) => (text == null ? null : BigInt(text));
const toInstant = (text: string | null | undefined) => (text == null ? null : parsePostgresTimestamp(text));

function toAccount(row: Row): Account {
  return {
    id: row[0] as AccountId,
    available: BigInt(row[1]!),
    held: BigInt(row[2]!),
    owed: BigInt(row[3]!),
    issued: BigInt(row[4]!),
    spent: BigInt(row[5]!),
    expired: BigInt(row[6]!),
    revoked: BigInt(row[7]!),
    frozen: row[8] === "t",
    grants: grantsFromText(row[9]!),
    seq: BigInt(row[10]!),
    hash: row[11]!,
    alertBelow: toBigInt(row[12]),
    topupBelow: toBigInt(row[13]),
  };
}
