import type { AccountId } from "@bursar/contract/ids";
import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type pg from "pg";
import type { Account, Hold, OpenGrant } from "./account.ts";
import { plainArray, quotedArray, textArray } from "./array-literal.ts";
import type { Effect } from "./book.ts";
import type { UsageRecord } from "./command.ts";
import { drawsToText, ENTRY_COLUMNS, type Entry, type NewEntry } from "./entry.ts";
import { grantsToText } from "./grants-text.ts";
import { type CopyIn, roundTrip, type Statement } from "./round-trip.ts";

type Of<Row> = Row & { readonly accountId: AccountId };

export interface NewGrant {
  readonly accountId: AccountId;
  readonly grant: OpenGrant;
  readonly granted: bigint;
  readonly allocatedBy: string;
  readonly notes: string | null;
  readonly reference: string | null;
}

export interface NewUsage {
  readonly entry: Entry;
  readonly amount: bigint;
  readonly usage: UsageRecord;
}

/** An account as it was loaded and as it is now. */
export interface ChangedAccount {
  readonly before: Account;
  readonly after: Account;
}

/** Everything a batch has decided, ready to be written. */
export interface BatchWrites {
  readonly accounts: readonly ChangedAccount[];
  readonly entries: readonly NewEntry[];
  readonly grants: readonly NewGrant[];
  readonly endedGrants: readonly (readonly [accountId: AccountId, grantId: string])[];
  readonly openHolds: readonly Of<{ hold: Hold }>[];
  readonly closedHolds: readonly (readonly [accountId: AccountId, holdId: string])[];
  readonly counters: readonly (readonly [
    accountId: AccountId,
    capId: string,
    windowStart: string,
    by: bigint,
  ])[];
  readonly effects: readonly Of<{ effect: Effect; at: Instant }>[];
  readonly usage: readonly NewUsage[];
}

/** One column of a batch insert: its name, its type, and how a row gives its value. */
type Column<Row> = readonly [
  name: string,
  type: string,
  value: (row: Row) => string | bigint | number | null,
];

/** A statement that writes any number of rows from one array a column, so that its text, and its plan, never change. */
interface BatchStatement<Row> {
  readonly name: string;
  readonly text: string;
  readonly columns: readonly Column<Row>[];
}

const TEXT_TYPES = new Set(["text", "json", "timestamptz"]);
/** Columns whose text never needs an escape. */
const PLAIN_TEXT = new Set(["account_id", "grants", "hash", "hold_id", "grant_id"]);

function columnsOf<Row>(columns: readonly Column<Row>[]): { names: string; arrays: string } {
  return {
    names: columns.map(([name]) => name).join(", "),
    arrays: columns.map(([, type], index) => `$${index + 1}::${type}[]`).join(", "),
  };
}

function insertInto<Row>(table: string, columns: readonly Column<Row>[], conflict = ""): BatchStatement<Row> {
  const { names, arrays } = columnsOf(columns);
  const text = `insert into ${table} (${names}) select * from unnest(${arrays}) ${conflict}`;
  return { name: `ledger_insert_${table}`, text, columns };
}

function deleteFrom<Row>(table: string, columns: readonly Column<Row>[]): BatchStatement<Row> {
  const { names, arrays } = columnsOf(columns);
  const match = columns.map(([name]) => `t.${name} = gone.${name}`).join(" and ");
  const text = `delete from ${table} t using unnest(${arrays}) as gone (${names}) where ${match}`;
  return { name: `ledger_delete_${table}`, text, columns };
}

function write<Row>(statement: BatchStatement<Row>, rows: readonly Row[]): Statement[] {
  if (rows.length === 0) return [];
  const values = statement.columns.map(([name, type, value]) => {
    if (PLAIN_TEXT.has(name)) return quotedArray(rows.map(value) as string[]);
    return TEXT_TYPES.has(type)
      ? textArray(rows.map(value) as (string | null)[])
      : plainArray(rows.map(value));
  });
  return [{ name: statement.name, text: statement.text, values }];
}

const timestamp = (instant: Instant | null) => (instant === null ? null : formatPostgresTimestamp(instant));

/** What spending, holding and settling change: nearly every command. */
const USUAL_COLUMNS: readonly Column<Account>[] = [
  ["account_id", "text", (account) => account.id],
  ["available", "int8", (account) => account.available],
  ["held", "int8", (account) => account.held],
  ["spent", "int8", (account) => account.spent],
  ["grants", "text", (account) => grantsToText(account.grants)],
  ["seq", "int8", (account) => account.seq],
  ["hash", "text", (account) => account.hash],
];

const RARE_COLUMNS: readonly Column<Account>[] = [
  ["owed", "int8", (account) => account.owed],
  ["issued", "int8", (account) => account.issued],
  ["expired", "int8", (account) => account.expired],
  ["revoked", "int8", (account) => account.revoked],
  ["frozen", "bool", (account) => (account.frozen ? "t" : "f")],
];

/** The rows are locked already, so the order of this update does not matter. No indexed column changes: it stays HOT. */
function updateAccounts(name: string, columns: readonly Column<Account>[]): BatchStatement<Account> {
  const { names, arrays } = columnsOf(columns);
  const set = columns
    .slice(1)
    .map(([column]) => (column === "hash" ? "hash = decode(v.hash, 'hex')" : `${column} = v.${column}`));
  const text = `update accounts a set ${set.join(", ")}
    from unnest(${arrays}) as v (${names}) where a.account_id = v.account_id`;
  return { name, text, columns };
}

const UPDATE_USUAL = updateAccounts("ledger_update_usual", USUAL_COLUMNS);
const UPDATE_WHOLE = updateAccounts("ledger_update_whole", [...USUAL_COLUMNS, ...RARE_COLUMNS]);

/** Fewer columns are a third less work for both sides, so accounts of which only the usual ones changed go apart. */
function writeAccounts(changed: BatchWrites["accounts"]): Statement[] {
  const isUsual = ({ before, after }: ChangedAccount) =>
    before.owed === after.owed &&
    before.issued === after.issued &&
    before.expired === after.expired &&
    before.revoked === after.revoked &&
    before.frozen === after.frozen;
  const usual: Account[] = [];
  const whole: Account[] = [];
  for (const account of changed) (isUsual(account) ? usual : whole).push(account.after);
  return [...write(UPDATE_USUAL, usual), ...write(UPDATE_WHOLE, whole)];
}

/** The entries go in by COPY, in the very lines that were hashed: the cheapest way there is, for both sides. */
function copyEntries(entries: readonly NewEntry[]): CopyIn {
  const lines = entries.map((entry) => `${entry.row}\t\\\\x${entry.hash}\n`).join("");
  return { name: "ledger_copy_entries", text: `copy entries (${ENTRY_COLUMNS}, hash) from stdin`, lines };
}

const INSERT_GRANTS = insertInto<NewGrant>("grants", [
  ["account_id", "text", (row) => row.accountId],
  ["grant_id", "text", (row) => row.grant.id],
  ["source", "text", (row) => row.grant.source],
  ["granted", "int8", (row) => row.granted],
  ["priority", "int2", (row) => row.grant.priority],
  ["expires_at", "timestamptz", (row) => timestamp(row.grant.expiresAt)],
  ["scope", "json", (row) => (row.grant.scope === null ? null : JSON.stringify(row.grant.scope))],
  ["allocated_by", "text", (row) => row.allocatedBy],
  ["allocated_at", "timestamptz", (row) => timestamp(row.grant.allocatedAt)],
  ["notes", "text", (row) => row.notes],
  ["reference", "text", (row) => row.reference],
]);

const INSERT_EXPIRIES = insertInto<NewGrant>("grant_expiries", [
  ["account_id", "text", (row) => row.accountId],
  ["grant_id", "text", (row) => row.grant.id],
  ["expires_at", "timestamptz", (row) => timestamp(row.grant.expiresAt)],
]);

const DELETE_EXPIRIES = deleteFrom<readonly [AccountId, string]>("grant_expiries", [
  ["account_id", "text", ([accountId]) => accountId],
  ["grant_id", "text", ([, grantId]) => grantId],
]);

const PUT_HOLDS = insertInto<Of<{ hold: Hold }>>(
  "holds",
  [
    ["account_id", "text", (row) => row.accountId],
    ["hold_id", "text", ({ hold }) => hold.id],
    ["parent_id", "text", ({ hold }) => hold.parentId],
    ["amount", "int8", ({ hold }) => hold.amount],
    ["draws", "json", ({ hold }) => drawsToText(hold.draws) ?? "[]"],
    ["reported", "int8", ({ hold }) => hold.reported],
    ["feature", "text", ({ hold }) => hold.feature],
    [
      "caps",
      "json",
      ({ hold }) =>
        hold.caps.length === 0
          ? null
          : JSON.stringify(hold.caps, (_, value: unknown) =>
              typeof value === "bigint" ? String(value) : value,
            ),
    ],
    ["expires_at", "timestamptz", ({ hold }) => timestamp(hold.expiresAt)],
    ["created_at", "timestamptz", ({ hold }) => timestamp(hold.createdAt)],
  ],
  `on conflict (account_id, hold_id) do update
   set amount = excluded.amount, draws = excluded.draws, reported = excluded.reported, caps = excluded.caps,
     expires_at = excluded.expires_at`,
);

const DELETE_HOLDS = deleteFrom<readonly [AccountId, string]>("holds", [
  ["account_id", "text", ([accountId]) => accountId],
  ["hold_id", "text", ([, holdId]) => holdId],
]);

/** Adds to the counters; the account's lock makes the sum exact. */
const ADD_TO_COUNTERS = insertInto<BatchWrites["counters"][number]>(
  "cap_counters",
  [
    ["account_id", "text", ([accountId]) => accountId],
    ["cap_id", "text", ([, capId]) => capId],
    ["window_start", "text", ([, , windowStart]) => windowStart],
    ["used", "int8", ([, , , by]) => by],
  ],
  "on conflict (account_id, cap_id, window_start) do update set used = cap_counters.used + excluded.used",
);

const INSERT_EFFECTS = insertInto<BatchWrites["effects"][number]>("effects", [
  ["account_id", "text", (row) => row.accountId],
  ["effect_id", "text", ({ effect }) => effect.id],
  ["kind", "text", ({ effect }) => effect.kind],
  ["payload", "json", ({ effect }) => JSON.stringify(effect.payload)],
  ["at", "timestamptz", ({ at }) => timestamp(at)],
]);

const INSERT_USAGE = insertInto<NewUsage>("usage_records", [
  ["account_id", "text", ({ entry }) => entry.accountId],
  ["seq", "int8", ({ entry }) => entry.seq],
  ["reference", "text", ({ entry }) => entry.reference],
  ["model", "text", ({ usage }) => usage.model],
  ["feature", "text", ({ entry }) => entry.feature],
  ["key_id", "text", ({ usage }) => usage.keyId],
  ["input_tokens", "int8", ({ usage }) => usage.inputTokens],
  ["cached_input_tokens", "int8", ({ usage }) => usage.cachedInputTokens],
  ["output_tokens", "int8", ({ usage }) => usage.outputTokens],
  ["amount", "int8", ({ amount }) => amount],
  ["price_version", "int4", ({ usage }) => usage.priceVersion],
  ["at", "timestamptz", ({ entry }) => timestamp(entry.at)],
]);

/** Writes the batch and commits, in one round trip. Resolves only when the database has answered the commit;
 *  throws when it did anything but commit. */
export async function writeBatch(client: pg.ClientBase, writes: BatchWrites): Promise<void> {
  const expiring = writes.grants.filter(({ grant }) => grant.expiresAt !== null);
  const answer = await roundTrip(client, [
    ...writeAccounts(writes.accounts),
    copyEntries(writes.entries),
    ...write(INSERT_GRANTS, writes.grants),
    ...write(INSERT_EXPIRIES, expiring),
    ...write(DELETE_EXPIRIES, writes.endedGrants),
    ...write(PUT_HOLDS, writes.openHolds),
    ...write(DELETE_HOLDS, writes.closedHolds),
    ...write(ADD_TO_COUNTERS, writes.counters),
    ...write(INSERT_EFFECTS, writes.effects),
    ...write(INSERT_USAGE, writes.usage),
    COMMIT,
  ]);
  if (answer !== "COMMIT") throw new Error(`the batch was not committed but answered ${answer}`);
}

const COMMIT: Statement = { name: "ledger_commit", text: "commit", values: [] };
