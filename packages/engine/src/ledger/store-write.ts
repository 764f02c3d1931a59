import type { AccountId } from "@bursar/contract/ids";
import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type pg from "pg";
import type { OpenGrant } from "./account.ts";
import { quotedArray } from "./array-literal.ts";
import type { Effect } from "./book.ts";
import type { UsageRecord } from "./command.ts";
import { ENTRY_COLUMNS, type Entry } from "./entry.ts";
import { type CopyIn, roundTrip, type Statement } from "./round-trip.ts";
import { BEGIN } from "./store-load.ts";
import { deleteFrom, formsOf, insertInto, linesInto, write, writeLines } from "./store-statement.ts";
import { ACCOUNT_STATEMENTS, type ChangedAccount, writeAccounts } from "./store-write-accounts.ts";
import { HOLD_STATEMENTS, type HoldWrites, writeHolds } from "./store-write-holds.ts";

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

/** Everything a batch has decided, ready to be written. */
export interface BatchWrites extends HoldWrites {
  readonly accounts: readonly ChangedAccount[];
  /** As `EntryLines` has them. */
  readonly entryLines: Buffer;
  readonly grants: readonly NewGrant[];
  readonly endedGrants: readonly (readonly [accountId: AccountId, grantId: string])[];
  readonly counters: readonly (readonly [
    accountId: AccountId,
    capId: string,
    windowStart: string,
    by: bigint,
  ])[];
  readonly effects: readonly Of<{ effect: Effect; at: Instant }>[];
  readonly usage: readonly NewUsage[];
}

/** The entries go in as the very lines that were hashed. */
const NEW_ENTRIES = linesInto("entries", `${ENTRY_COLUMNS}, hash`);

const INSERT_GRANTS = insertInto<NewGrant>("grants", [
  ["account_id", "text", (row) => row.accountId],
  ["grant_id", "text", (row) => row.grant.id],
  ["source", "text", (row) => row.grant.source],
  ["granted", "int8", (row) => row.granted],
  ["priority", "int2", (row) => row.grant.priority],
  ["expires_at", "timestamptz", (row) => row.grant.expiresAt],
  ["scope", "json", (row) => (row.grant.scope === null ? null : JSON.stringify(row.grant.scope))],
  ["allocated_by", "text", (row) => row.allocatedBy],
  ["allocated_at", "timestamptz", (row) => row.grant.allocatedAt],
  ["notes", "text", (row) => row.notes],
  ["reference", "text", (row) => row.reference],
]);

const INSERT_EXPIRIES = insertInto<NewGrant>("grant_expiries", [
  ["account_id", "text", (row) => row.accountId],
  ["grant_id", "text", (row) => row.grant.id],
  ["expires_at", "timestamptz", (row) => row.grant.expiresAt],
]);

const DELETE_EXPIRIES = deleteFrom<readonly [AccountId, string]>("grant_expiries", [
  ["account_id", "text", ([accountId]) => accountId],
  ["grant_id", "text", ([, grantId]) => grantId],
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
  ["at", "timestamptz", ({ at }) => at],
]);

const INSERT_USAGE = insertInto<NewUsage>("usage_records", [
  ["account_id", "text", ({ entry }) => entry.accountId],
  ["seq", "int8", ({ entry }) => entry.seq],
  ["reference", "text", ({ entry }) => entry.reference],
  ["model", "text", ({ usage }) => usage.model],
  ["feature", "text", ({ entry }) => entry.feature],
  ["key_id", "text", ({ usage }) => usage.keyId],
  ["person_id", "text", ({ usage }) => usage.personId],
  ["input_tokens", "int8", ({ usage }) => usage.inputTokens],
  ["cached_input_tokens", "int8", ({ usage }) => usage.cachedInputTokens],
  ["output_tokens", "int8", ({ usage }) => usage.outputTokens],
  ["amount", "int8", ({ amount }) => amount],
  ["price_version", "int4", ({ usage }) => usage.priceVersion],
  ["at", "timestamptz", ({ entry }) => entry.at],
]);

/** Writes a batch whose accounts are locked, and commits, in one round trip. Resolves only when the database has
 *  answered the commit; throws when it did anything but commit. */
export async function writeBatch(client: pg.ClientBase, writes: BatchWrites): Promise<void> {
  committed(await roundTrip(client, [...steps(writes), COMMIT]));
}

/** What a batch that was decided from memory relies on besides its accounts. */
export interface Reliance {
  /** API keys that asked to use credits: none may be revoked or past its expiry. */
  readonly keyIds: readonly string[];
  readonly now: Instant;
}

/** Writes a whole batch in one round trip, on the condition that all it was decided on still holds.
 *  Outcomes: committed; stale when something has moved, or an idempotency key was used before: then nothing is
 *  written, and the transaction is to be rolled back. Throws when the commit's answer is lost. */
export async function writeIfCurrent(
  client: pg.ClientBase,
  writes: BatchWrites,
  reliance: Reliance,
  sending: "in turn" | "ahead",
): Promise<"committed" | "stale"> {
  try {
    const keys = reliance.keyIds.length === 0 ? [] : [requireKeys(reliance)];
    const trip = [BEGIN, WAIT_BRIEFLY, ...steps(writes), ...keys, COMMIT];
    committed(await roundTrip(client, trip, sending));
    return "committed";
  } catch (error) {
    if (!isStale(error)) throw error;
    return "stale";
  }
}

/** Ends the transaction that a stale write has left failed. */
export async function rollBack(client: pg.ClientBase): Promise<void> {
  await roundTrip(client, [ROLLBACK]);
}

const STALE: ReadonlySet<unknown> = new Set([
  "22012", // division by zero: an account or a key is not as it was known
  "23505", // unique violation: the idempotency key was used before
  "55P03", // lock not available: another process is at work on the account
  "40P01", // deadlock
  "25P02", // in failed transaction: the batch before it was stale
  "40001", // serialization failure, where the server's default isolation is stricter
]);

function isStale(error: unknown): boolean {
  return error instanceof Error && "code" in error && STALE.has(error.code);
}

function steps(writes: BatchWrites): (Statement | CopyIn)[] {
  const expiring = writes.grants.filter(({ grant }) => grant.expiresAt !== null);
  return [
    ...writeAccounts(writes.accounts),
    ...writeLines(NEW_ENTRIES, writes.entryLines),
    ...write(INSERT_GRANTS, writes.grants),
    ...write(INSERT_EXPIRIES, expiring),
    ...write(DELETE_EXPIRIES, writes.endedGrants),
    ...writeHolds(writes),
    ...write(ADD_TO_COUNTERS, writes.counters),
    ...write(INSERT_EFFECTS, writes.effects),
    ...write(INSERT_USAGE, writes.usage),
  ];
}

function committed(answer: string): void {
  if (answer !== "COMMIT") throw new Error(`the batch was not committed but answered ${answer}`);
}

const COMMIT: Statement = { name: "ledger_commit", text: "commit", values: [] };
const ROLLBACK: Statement = { name: "ledger_rollback", text: "rollback", values: [] };

/** Who holds a lock on one of the accounts is about to change it: memory is as good as stale. */
const WAIT_BRIEFLY: Statement = {
  name: "ledger_wait_briefly",
  text: "set local lock_timeout = '1ms'",
  values: [],
};

/** Divides by zero when one of these keys may not use credits any more. */
const REQUIRE_KEYS = {
  name: "ledger_require_keys",
  text: `select 1 / (count(*) = 0)::int from api_keys
    where key_id = any($1::text[]) and (revoked_at is not null or expires_at <= $2::timestamptz)`,
};

function requireKeys({ keyIds, now }: Reliance): Statement {
  return { ...REQUIRE_KEYS, values: [quotedArray(keyIds), formatPostgresTimestamp(now)] };
}

const WRITES = [
  ...ACCOUNT_STATEMENTS,
  ...HOLD_STATEMENTS,
  NEW_ENTRIES,
  INSERT_GRANTS,
  INSERT_EXPIRIES,
  DELETE_EXPIRIES,
  ADD_TO_COUNTERS,
  INSERT_EFFECTS,
  INSERT_USAGE,
];

/** To be prepared on every lane's connection. */
export const WRITE_STATEMENTS = [...WRITES.flatMap(formsOf), REQUIRE_KEYS, WAIT_BRIEFLY, COMMIT, ROLLBACK];
