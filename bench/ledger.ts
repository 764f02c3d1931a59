import type { AccountId, GrantId, HoldId } from "@bursar/contract/ids";
import { formatPostgresTimestamp } from "@bursar/contract/instant";
import { credits } from "@bursar/contract/money";
import { systemClock } from "@bursar/engine/clock/clock";
import type { Outcome } from "@bursar/engine/ledger/command";
import { GENESIS_HASH } from "@bursar/engine/ledger/entry";
import { type BenchDatabase, openBenchDatabase } from "./database.ts";
import { measureCallers, option, randomIntegers, report, round } from "./measure.ts";
import { createRawTable, rawUpdates } from "./raw-update.ts";

const ACCOUNTS = 100_000;
const accountId = (index: number) => `acct_${index}` as AccountId;

/** The ledger beside one prepared UPDATE per commit, the way people write it by hand, on the same server. */
export async function run(args: readonly string[]): Promise<void> {
  const seconds = option(args, "seconds", 8);
  const lanes = option(args, "lanes", 2);
  const database = await openBenchDatabase(lanes);
  try {
    await measureAll(database, seconds, lanes);
  } finally {
    await database.close();
  }
}

async function measureAll(database: BenchDatabase, seconds: number, lanes: number): Promise<void> {
  await seedAccounts(database, ACCOUNTS);
  await createRawTable(database.url, ACCOUNTS);
  const raw = await bestRaw(database.url, ACCOUNTS, seconds);
  const rawHot = await bestRaw(database.url, 1, seconds);
  const raw64 = await rawUpdates(database.url, ACCOUNTS, 64, seconds, true);
  report({
    bench: "raw update",
    ...raw,
    hotPerSecond: rawHot.perSecond,
    p99With64Clients: raw64.p99Milliseconds,
  });

  const random = randomIntegers(7);
  const anywhere = () => random(ACCOUNTS);
  const wide = await measureCallers(512, seconds, () => spend(database, anywhere()));
  report({
    bench: "spend, 100k accounts, 512 callers",
    lanes,
    ...wide,
    timesRaw: round(wide.perSecond / raw.perSecond),
  });
  const hot = await measureCallers(512, seconds, () => spend(database, 0));
  report({
    bench: "spend, one account, 512 callers",
    lanes,
    ...hot,
    timesRaw: round(hot.perSecond / rawHot.perSecond),
  });
  const some = await measureCallers(64, seconds, () => spend(database, anywhere()));
  const p99Ratio =
    raw64.p99Milliseconds === null ? null : round(some.p99Milliseconds / raw64.p99Milliseconds);
  report({ bench: "spend, 100k accounts, 64 callers", lanes, ...some, p99TimesRaw: p99Ratio });
  const lone = await measureCallers(1, Math.min(seconds, 4), () => spend(database, anywhere()));
  report({ bench: "spend, one caller", lanes, ...lone });
  const pairs = await measureCallers(512, seconds, () => holdAndSettle(database, anywhere()));
  report({
    bench: "hold + settle pairs, 512 callers",
    lanes,
    ...pairs,
    timesSpend: round(pairs.perSecond / wide.perSecond),
  });
}

async function bestRaw(url: string, accounts: number, seconds: number) {
  let best = await rawUpdates(url, accounts, 8, seconds / 2);
  for (const clients of [16, 32, 64]) {
    const next = await rawUpdates(url, accounts, clients, seconds / 2);
    if (next.perSecond > best.perSecond) best = next;
  }
  return best;
}

export async function seedAccounts(database: BenchDatabase, accounts: number): Promise<void> {
  await database.pool.query(
    `insert into accounts (account_id, name, hash, created_at)
     select 'acct_' || i, 'bench', decode($1, 'hex'), $2 from generate_series(0, $3::int - 1) i`,
    [GENESIS_HASH, formatPostgresTimestamp(systemClock.now()), accounts],
  );
  const start = performance.now();
  for (let from = 0; from < accounts; from += 10_000) {
    await Promise.all(Array.from({ length: 10_000 }, (_, index) => grant(database, from + index)));
  }
  report({
    bench: `grant, ${accounts} accounts`,
    perSecond: Math.round(accounts / ((performance.now() - start) / 1000)),
  });
}

async function grant(database: BenchDatabase, index: number): Promise<void> {
  const id = `grant_${index}` as GrantId;
  const facts = {
    accountId: accountId(index),
    by: "bench",
    priority: 60,
    expiresAt: null,
    scope: null,
  } as const;
  done(
    await database.ledger.submit({
      ...facts,
      kind: "grant",
      id,
      amount: credits("1000000"),
      source: "admin",
    }),
  );
}

let operations = 0;

export async function spend(database: BenchDatabase, index: number): Promise<void> {
  const id = `spend_${++operations}`;
  done(
    await database.ledger.submit({
      kind: "spend",
      id,
      accountId: accountId(index),
      amount: 1500n,
      by: "bench",
    }),
  );
}

async function holdAndSettle(database: BenchDatabase, index: number): Promise<void> {
  const id = `hold_${++operations}` as HoldId;
  const facts = { accountId: accountId(index), by: "bench" };
  const expiresAt = (systemClock.now() + 600_000_000) as ReturnType<typeof systemClock.now>;
  done(await database.ledger.submit({ ...facts, kind: "hold", id, amount: 2000n, expiresAt }));
  done(await database.ledger.submit({ ...facts, kind: "settle", holdId: id, amount: 1500n }));
}

function done(outcome: Outcome): void {
  if (outcome.kind !== "done")
    throw new Error(
      `the bench was refused: ${JSON.stringify(outcome, (_, value) => (typeof value === "bigint" ? String(value) : value))}`,
    );
}
