import { hash } from "node:crypto";
import type { AccountId, GrantId } from "@bursar/contract/ids";
import { formatPostgresTimestamp, type Instant, parsePostgresTimestamp } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type { Draw, OpenGrant } from "./account.ts";
import type { EntryKind } from "./kinds.ts";

/** One transfer (or mark) in an account's history, as its row says it. JSON columns are kept as the very text that
 *  was hashed. */
export interface Entry {
  readonly accountId: AccountId;
  readonly seq: bigint;
  readonly kind: EntryKind;
  readonly amount: MicroCredits;
  readonly draws: string | null;
  /** What it is about: the hold, the grant, or the operation itself. */
  readonly reference: string;
  /** Set when the other side is a parent hold: then no bucket changes. */
  readonly parentId: string | null;
  readonly holdAfter: MicroCredits | null;
  /** Only on the first entry of a group. */
  readonly key: string | null;
  readonly fingerprint: bigint | null;
  readonly groupSize: number;
  readonly feature: string | null;
  readonly metadata: string | null;
  readonly decision: string | null;
  readonly note: string | null;
  readonly requestId: string | null;
  readonly availableAfter: MicroCredits;
  readonly heldAfter: MicroCredits;
  readonly owedAfter: MicroCredits;
  readonly expiresAt: Instant | null;
  readonly at: Instant;
  readonly by: string;
  readonly hash: string;
}

/** The columns of the canonical row, in its order. */
export const ENTRY_COLUMNS = `account_id, seq, kind, amount, draws, reference, parent_id, hold_after, key, fingerprint,
  group_size, feature, metadata, decision, note, request_id, available_after, held_after, owed_after, expires_at, at, by`;

/** The previous hash of an account's first entry. */
export const GENESIS_HASH = "0".repeat(64);

let lastName = "";
let lastKey = "";

/** The key column: 128 bits of SHA-256, because a uuid is half the size of text and every key fits. A decision and its
 *  entry ask for the same key in turn, so the last one is kept. */
export function keyOf(idempotencyKey: string): string {
  if (idempotencyKey !== lastName) {
    lastKey = hashedKey(idempotencyKey);
    lastName = idempotencyKey;
  }
  return lastKey;
}

function hashedKey(idempotencyKey: string): string {
  const hex = hash("sha256", idempotencyKey, "hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}

/** Tells the same body from another under one key: 64 bits of SHA-256. */
export function fingerprintOf(body: string): bigint {
  return hash("sha256", body, "buffer").readBigInt64BE(0);
}

export function drawsToText(draws: readonly Draw[]): string | null {
  if (draws.length === 0) return null;
  return `[${draws.map(([grantId, amount]) => `["${grantId}","${amount}"]`).join(",")}]`;
}

export function drawsFromText(text: string | null): Draw[] {
  if (text === null) return [];
  // Nearly every entry draws on one grant, and then this is three times as fast as JSON.
  const middle = text.indexOf('","');
  const end = text.indexOf('"]', middle);
  if (middle > 0 && end === text.length - 3)
    return [[text.slice(3, middle) as GrantId, BigInt(text.slice(middle + 3, end))]];
  return (JSON.parse(text) as [Draw[0], string][]).map(([grantId, amount]) => [grantId, BigInt(amount)]);
}

/** The canonical row: exactly the line that `COPY` prints for these columns under `TimeZone UTC, DateStyle ISO`,
 *  so that anyone can check the chain with psql and sha256sum alone. Joined, because it runs for every entry: pieces
 *  added up one by one would be twice the work; `before` is what the chain puts in front of the row. */
export function canonicalRow(entry: Omit<Entry, "hash">, before = ""): string {
  return [
    `${before}${entry.accountId}`,
    entry.seq,
    entry.kind,
    entry.amount,
    copyText(entry.draws),
    copyText(entry.reference),
    copyText(entry.parentId),
    entry.holdAfter ?? NULL,
    entry.key ?? NULL,
    entry.fingerprint ?? NULL,
    entry.groupSize,
    copyText(entry.feature),
    copyText(entry.metadata),
    copyText(entry.decision),
    copyText(entry.note),
    copyText(entry.requestId),
    entry.availableAfter,
    entry.heldAfter,
    entry.owedAfter,
    entry.expiresAt === null ? NULL : formatPostgresTimestamp(entry.expiresAt),
    timeText(entry.at),
    copyText(entry.by),
  ].join("\t");
}

const NULL = "\\N";

let lastTime: Instant | null = null;
let lastTimeText = "";

/** All entries of a batch have one time. */
function timeText(at: Instant): string {
  if (at !== lastTime) {
    lastTime = at;
    lastTimeText = formatPostgresTimestamp(at);
  }
  return lastTimeText;
}

/** The terms of a grant, kept in its entry's decision, so that the hash covers them. */
export function arrivalToText(grant: Pick<OpenGrant, "source" | "priority" | "scope">): string {
  return JSON.stringify({ source: grant.source, priority: grant.priority, scope: grant.scope });
}

export function arrivalFromText(text: string | null): Pick<OpenGrant, "source" | "priority" | "scope"> {
  return JSON.parse(text ?? "{}") as Pick<OpenGrant, "source" | "priority" | "scope">;
}

/** What a replay needs of an entry, read from its canonical row. */
export type ReadEntry = Pick<
  Entry,
  | "seq"
  | "kind"
  | "amount"
  | "reference"
  | "parentId"
  | "holdAfter"
  | "key"
  | "groupSize"
  | "decision"
  | "expiresAt"
> & {
  readonly draws: readonly Draw[];
  readonly balancesAfter: string;
  /** As Postgres prints it: read only where a grant has an end. */
  readonly atText: string;
};

/** Reads a canonical row. References, ids and draws hold nothing that COPY escapes; a decision may. */
export function readRow(row: string): ReadEntry {
  const columns = row.split("\t");
  const at = (index: number) => (columns[index] === NULL ? null : columns[index]!);
  const expiresAt = at(19);
  const holdAfter = at(7);
  const decision = at(13);
  return {
    seq: BigInt(columns[1]!),
    kind: columns[2] as EntryKind,
    amount: BigInt(columns[3]!),
    draws: drawsFromText(at(4)),
    reference: columns[5]!,
    parentId: at(6),
    holdAfter: holdAfter === null ? null : BigInt(holdAfter),
    key: at(8),
    groupSize: Number(columns[10]),
    decision: decision === null ? null : plainText(decision),
    balancesAfter: `${columns[16]} ${columns[17]} ${columns[18]}`,
    expiresAt: expiresAt === null ? null : parsePostgresTimestamp(expiresAt),
    atText: columns[20]!,
  };
}

/** hash = SHA-256(previous hash in hex, newline, canonical row), in hex. */
export function chainHash(previous: string, row: string): string {
  return hash("sha256", `${previous}\n${row}`, "hex");
}

const NEEDS_ESCAPE = /[\b\t\n\v\f\r\\]/;
const ESCAPES: Record<string, string> = {
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\v": "\\v",
  "\f": "\\f",
  "\r": "\\r",
  "\\": "\\\\",
};

/** A value as COPY's text format wants it. */
export function copyText(text: string | null): string {
  if (text === null) return NULL;
  return NEEDS_ESCAPE.test(text)
    ? text.replace(/[\b\t\n\v\f\r\\]/g, (character) => ESCAPES[character]!)
    : text;
}

const ESCAPED = Object.fromEntries(Object.entries(ESCAPES).map(([character, escape]) => [escape, character]));

function plainText(field: string): string {
  return field.includes("\\") ? field.replace(/\\./g, (escape) => ESCAPED[escape]!) : field;
}

/** The values of a line of COPY's text format, without its newline. */
export function fieldsOf(line: string): (string | null)[] {
  return line.split("\t").map((field) => (field === NULL ? null : plainText(field)));
}
