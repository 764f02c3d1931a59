import pg from "pg";
import { copyOut } from "./copy-out.ts";
import { grantsFromText } from "./grants-text.ts";
import { AccountReplay, type Problem, type Replayed } from "./replay.ts";
import { BEGIN_SNAPSHOT, COPY_ACCOUNTS, COPY_ENTRIES, hasKeyIndex } from "./store-verify.ts";

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
  const rows = await readAccounts(client);
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

interface AccountRow {
  readonly accountId: string;
  /** The buckets, the state, and the sums of its open grants and holds, between tabs. */
  readonly summary: string;
  replayed: boolean;
}

async function readAccounts(client: pg.Client): Promise<Map<string, AccountRow>> {
  const rows = new Map<string, AccountRow>();
  await copyOut(client, COPY_ACCOUNTS, (line) => {
    const columns = line.split("\t");
    const [accountId, grants] = [columns[0]!, grantsFromText(columns[11]!)];
    const remaining = grants.reduce((sum, grant) => sum + grant.remaining, 0n);
    const held = grants.reduce((sum, grant) => sum + grant.held, 0n);
    const summary = [...columns.slice(1, 11), remaining, held, columns[12]].join("\t");
    rows.set(accountId, { accountId, summary, replayed: false });
  });
  return rows;
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
    const end = line.lastIndexOf("\t");
    // The hash is printed as \\x and 64 hex digits.
    replay.add(line.slice(0, end), line.slice(end + 4));
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
  const state = [available, held, owed, issued, spent, expired, revoked, frozen ? "t" : "f", seq, hash];
  const expected = [...state, available, held, held].join("\t");
  if (expected === row.summary) return;
  const isSameState = row.summary.startsWith(state.join("\t"));
  const message = `the row says ${row.summary} and the entries ${expected}`.replaceAll("\t", " ");
  report({ invariant: isSameState ? 2 : 3, accountId, seq: String(seq), message });
}

/** An account without entries has nothing. */
function checkUnmoved(row: AccountRow, report: (problem: Problem) => void): void {
  if (row.replayed || /^(0\t){7}f\t0\t0{64}\t0\t0\t0$/.test(row.summary)) return;
  report({ invariant: 3, accountId: row.accountId, message: "the row has credits and there are no entries" });
}
