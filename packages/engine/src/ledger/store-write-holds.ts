import type { AccountId } from "@bursar/contract/ids";
import { formatNullableTimestamp, formatPostgresTimestamp } from "@bursar/contract/instant";
import type { Hold } from "./account.ts";
import { copyText, drawsToText } from "./entry.ts";
import type { CopyIn, Statement } from "./round-trip.ts";
import { batchStatement, type Column, deleteFrom, linesInto, write, writeLines } from "./store-statement.ts";

interface HoldRow {
  readonly accountId: AccountId;
  readonly hold: Hold;
}

interface ClosedHold {
  readonly accountId: AccountId;
  readonly id: string;
}

export interface HoldWrites {
  readonly newHolds: readonly HoldRow[];
  readonly changedHolds: readonly HoldRow[];
  readonly closedHolds: readonly ClosedHold[];
}

export function writeHolds(writes: HoldWrites): (Statement | CopyIn)[] {
  return [
    ...insertHolds(writes.newHolds),
    ...write(UPDATE_HOLDS, writes.changedHolds),
    ...write(DELETE_HOLDS, writes.closedHolds),
  ];
}

/** New holds go in as lines, as entries do. */
function insertHolds(rows: HoldWrites["newHolds"]): (Statement | CopyIn)[] {
  if (rows.length === 0) return [];
  const lines = rows.map(({ accountId, hold }) => holdLine(accountId, hold)).join("");
  return writeLines(NEW_HOLDS, Buffer.from(lines));
}

const NEW_HOLDS = linesInto(
  "holds",
  "account_id, hold_id, parent_id, amount, draws, reported, feature, caps, expires_at, created_at",
);

function holdLine(accountId: AccountId, hold: Hold): string {
  const what = `${accountId}\t${hold.id}\t${copyText(hold.parentId)}\t${hold.amount}\t${drawsToText(hold.draws) ?? "[]"}`;
  const expiry = formatNullableTimestamp(hold.expiresAt);
  const facts = `${hold.reported}\t${copyText(hold.feature)}\t${copyText(capsToText(hold.caps))}`;
  return `${what}\t${facts}\t${copyText(expiry)}\t${formatPostgresTimestamp(hold.createdAt)}\n`;
}

function capsToText(caps: Hold["caps"]): string | null {
  if (caps.length === 0) return null;
  return JSON.stringify(caps, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
}

const CHANGED_HOLD: readonly Column<HoldRow>[] = [
  ["account_id", "text", (row) => row.accountId],
  ["hold_id", "text", ({ hold }) => hold.id],
  ["amount", "int8", ({ hold }) => hold.amount],
  ["draws", "json", ({ hold }) => drawsToText(hold.draws) ?? "[]"],
  ["reported", "int8", ({ hold }) => hold.reported],
  ["caps", "json", ({ hold }) => capsToText(hold.caps)],
  ["expires_at", "timestamptz", ({ hold }) => hold.expiresAt],
];

const UPDATE_HOLDS = batchStatement(
  "ledger_update_holds",
  CHANGED_HOLD,
  (rows) => `update holds h set amount = v.amount, draws = v.draws, reported = v.reported, caps = v.caps,
      expires_at = v.expires_at
    from (${rows.table}) as v
    where h.account_id = v.account_id and h.hold_id = v.hold_id`,
);

const DELETE_HOLDS = deleteFrom<ClosedHold>("holds", [
  ["account_id", "text", (row) => row.accountId],
  ["hold_id", "text", (row) => row.id],
]);

export const HOLD_STATEMENTS = [NEW_HOLDS, UPDATE_HOLDS, DELETE_HOLDS];
