import pg from "pg";
import { copyOut } from "./copy-out.ts";
import { drawsFromText } from "./entry.ts";
import { withoutEnds } from "./grants-text.ts";
import { AccountReplay, type Problem, type Replayed } from "./replay.ts";
import { arrivalLineOfRow } from "./replay-grants.ts";
import { holdLine } from "./replay-holds.ts";
import {
  BEGIN_SNAPSHOT,
  COPY_ACCOUNTS,
  COPY_ENTRIES,
  COPY_GRANTS,
  COPY_HOLDS,
  hasKeyIndex,
} from "./store-verify.ts";

export type { Problem } from "./replay.ts";

export interface Verification {
  readonly accounts: number;
  readonly entries: number;
  readonly entriesPerSecond: number;
  /** Empty when the ledger is whole. At most `problemLimit`; `problemCount` is exact. */
  readonly problems: readonly Problem[];
  readonly problemCount: number;
}

export interface VerifyOptions {
  readonly problemLimit?: number;
}

/** Proves the ledger from its own entries: replays every account from its first entry, checks hashes, numbers, groups,
 *  grants and balances, and compares the end with the account's row, its open grants and its open holds. Invariants 1
 *  to 5 of docs/ledger.md; 6 and 7 are about time and are proved by tests. Reads one consistent snapshot and blocks
 *  nobody. Throws: database unreachable. */
export async function verifyLedger(
  connect: () => pg.Client,
  options: VerifyOptions = {},
): Promise<Verification> {
  const client = connect();
  await client.connect();
  try {
    await client.query(BEGIN_SNAPSHOT);
    return await verifySnapshot(client, options.problemLimit ?? 100);
  } finally {
    await client.end();
  }
}

async function verifySnapshot(client: pg.Client, problemLimit: number): Promise<Verification> {
  const start = performance.now();
  const problems: Problem[] = [];
  let problemCount = 0;
  const report = (problem: Problem) => {
    problemCount += 1;
    if (problems.length < problemLimit) problems.push(problem);
  };
  await checkKeyIndex(client, report);
  const rows = await readAccounts(client, report);
  const entries = await replayAll(client, rows, report);
  for (const row of rows.values()) checkUnmoved(row, report);
  const seconds = (performance.now() - start) / 1000;
  return {
    accounts: rows.size,
    entries,
    entriesPerSecond: Math.round(entries / seconds),
    problems,
    problemCount,
  };
}

/** Invariant 4 holds by a unique index: it must be there and in force. */
async function checkKeyIndex(client: pg.Client, report: (problem: Problem) => void): Promise<void> {
  if (!(await hasKeyIndex(client)))
    report({ invariant: 4, accountId: "", message: "the unique index entries_key is missing" });
}

/** What the tables say of one account. */
interface AccountRow {
  readonly accountId: string;
  /** Buckets and state, between tabs, as `COPY_ACCOUNTS` prints them. */
  readonly state: string;
  readonly openGrants: string;
  readonly arrivals: string[];
  readonly holds: string[];
  replayed: boolean;
}

async function readAccounts(
  client: pg.Client,
  report: (problem: Problem) => void,
): Promise<Map<string, AccountRow>> {
  const rows = new Map<string, AccountRow>();
  await copyOut(client, COPY_ACCOUNTS, (line) => {
    const columns = line.split("\t");
    const [accountId, openGrants] = [columns[0]!, columns[11]!];
    const state = columns.slice(1, 11).join("\t");
    rows.set(accountId, { accountId, state, openGrants, arrivals: [], holds: [], replayed: false });
  });
  const addTo =
    (part: "arrivals" | "holds", toLine: (columns: readonly string[]) => string) => (line: string) => {
      const [accountId = "", ...columns] = line.split("\t");
      const row = rows.get(accountId);
      if (row === undefined) report({ invariant: 3, accountId, message: `${part} of no account` });
      else reading(accountId, report, () => row[part].push(toLine(columns)));
    };
  await copyOut(client, COPY_GRANTS, addTo("arrivals", arrivalLineOfRow));
  await copyOut(client, COPY_HOLDS, addTo("holds", holdLineOfRow));
  return rows;
}

/** A row that makes no sense is a problem of its account, and hides nothing of the others. */
function reading(accountId: string, report: (problem: Problem) => void, read: () => void): void {
  try {
    read();
  } catch (error) {
    report({ invariant: 3, accountId, message: `a row cannot be read: ${String(error)}` });
  }
}

function holdLineOfRow([id, amount, parentId, draws]: readonly string[]): string {
  return holdLine(id!, BigInt(amount!), parentId === "\\N" ? null : parentId!, drawsFromText(draws!));
}

async function replayAll(
  client: pg.Client,
  rows: Map<string, AccountRow>,
  report: (problem: Problem) => void,
): Promise<number> {
  let entries = 0;
  let replay: AccountReplay | null = null;
  const finish = () => {
    if (replay !== null) compare(rows.get(replay.accountId), replay.end(), report);
  };
  await copyOut(client, COPY_ENTRIES, (line) => {
    entries += 1;
    const accountId = line.slice(0, line.indexOf("\t"));
    if (replay?.accountId !== accountId) {
      finish();
      replay = new AccountReplay(accountId, report);
    }
    const current = replay;
    const end = line.lastIndexOf("\t");
    // The hash is printed as \\x and 64 hex digits.
    reading(accountId, report, () => current.add(line.slice(0, end), line.slice(end + 4)));
  });
  finish();
  return entries;
}

function compare(row: AccountRow | undefined, replayed: Replayed, report: (problem: Problem) => void): void {
  const { accountId, buckets, frozen, seq, hash } = replayed;
  if (row === undefined) {
    report({ invariant: 3, accountId, message: "there are entries and no account" });
    return;
  }
  row.replayed = true;
  const { available, held, owed, issued, spent, expired, revoked } = buckets;
  const state = [available, held, owed, issued, spent, expired, revoked, frozen ? "t" : "f", seq, hash].join(
    "\t",
  );
  const differ = (invariant: number, what: string, said: string, expected: string) => {
    if (said === expected) return;
    const message = `${what}: the table says ${said} and the entries ${expected}`.replaceAll("\t", " ");
    report({ invariant, accountId, seq: String(seq), message });
  };
  const inOrder = (lines: readonly string[]) => lines.toSorted().join("; ");
  differ(3, "account", row.state, state);
  differ(2, "open grants", row.openGrants, asMarked(row.openGrants, replayed.openGrants));
  differ(2, "open holds", inOrder(row.holds), inOrder(replayed.holds));
  differ(5, "grants", inOrder(row.arrivals), inOrder(replayed.arrivals));
}

/** What the entries tell of grants, without the ends that a row from before they were marked does not tell. */
function asMarked(row: string, replayed: string): string {
  const inRow = new Set(row.split(";"));
  const grants = replayed
    .split(";")
    .map((grant) => (inRow.has(withoutEnds(grant)) ? withoutEnds(grant) : grant));
  return grants.join(";");
}

/** An account without entries has nothing. */
function checkUnmoved(row: AccountRow, report: (problem: Problem) => void): void {
  const hasNothing = row.openGrants === "" && row.holds.length === 0 && row.arrivals.length === 0;
  if (row.replayed || (hasNothing && /^(0\t){7}f\t0\t0{64}$/.test(row.state))) return;
  report({ invariant: 3, accountId: row.accountId, message: "the row has credits and there are no entries" });
}
