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

/** The ledger beside one prepared UPDATE per commit, the way people write it by hand, on the same server. The two take
 *  turns, because a shared machine is fast one minute and slow the next: each turn has its own ratio, and the median of
 *  them is reported. */
export async function run(args: readonly string[]): Promise<void> {
  const seconds = option(args, "seconds", 5);
  const turns = option(args, "turns", 5);
  const lanes = option(args, "lanes", 2);
  const database = await openBenchDatabase(lanes);
  try {
    await seedAccounts(database, ACCOUNTS);
    await createRawTable(database.url, ACCOUNTS);
    await measureAll(database, { seconds, turns, lanes });
  } finally {
    await database.close();
  }
}

interface Options {
  readonly seconds: number;
  readonly turns: number;
  readonly lanes: number;
}

async function measureAll(database: BenchDatabase, options: Options): Promise<void> {
  const { seconds, lanes } = options;
  const random = randomIntegers(7);
  const anywhere = () => random(ACCOUNTS);
  const clients = await bestClients(database.url, ACCOUNTS, seconds);
  await measureCallers(512, seconds, () => spend(database, anywhere()));
  await takeTurns("spend, 100k accounts, 512 callers", options, rate, {
    raw: () => rawUpdates(database.url, ACCOUNTS, clients, seconds),
    ours: () => measureCallers(512, seconds, () => spend(database, anywhere())),
  });
  const hotClients = await bestClients(database.url, 1, seconds);
  await takeTurns("spend, one account, 512 callers", options, rate, {
    raw: () => rawUpdates(database.url, 1, hotClients, seconds),
    ours: () => measureCallers(512, seconds, () => spend(database, 0)),
  });
  await takeTurns("p99 in ms, 100k accounts, 64 callers", options, p99, {
    raw: () => rawUpdates(database.url, ACCOUNTS, 64, seconds, true),
    ours: () => measureCallers(64, seconds, () => spend(database, anywhere())),
  });
  await takeTurns("hold + settle pairs beside spends, 512 callers", options, rate, {
    raw: () => measureCallers(512, seconds, () => spend(database, anywhere())),
    ours: () => measureCallers(512, seconds, () => holdAndSettle(database, anywhere())),
  });
  const lone = await measureCallers(1, seconds, () => spend(database, anywhere()));
  report({ bench: "spend, one caller", lanes, ...lone });
}

type Figures = { readonly perSecond: number; readonly p99Milliseconds: number | null };
const rate = ({ perSecond }: Figures) => perSecond;
const p99 = ({ p99Milliseconds }: Figures) => p99Milliseconds ?? Number.NaN;

/** The same two measurements by turns: the median of the turns' ratios, and each turn's figures. */
async function takeTurns(
  bench: string,
  { turns, lanes }: Options,
  figure: (measured: Figures) => number,
  sides: { readonly raw: () => Promise<Figures>; readonly ours: () => Promise<Figures> },
): Promise<void> {
  const pairs: { raw: number; ours: number; ratio: number }[] = [];
  for (let turn = 0; turn < turns; turn++) {
    const raw = figure(await sides.raw());
    const ours = figure(await sides.ours());
    pairs.push({ raw, ours, ratio: round(ours / raw) });
  }
  const ratios = pairs.map(({ ratio }) => ratio).sort((a, b) => a - b);
  const medianRatio = ratios[Math.floor(turns / 2)];
  report({
    bench,
    lanes,
    medianRatio,
    ratios,
    raw: pairs.map((pair) => pair.raw),
    ours: pairs.map((pair) => pair.ours),
  });
}

/** How many clients the raw UPDATE is fastest with. */
async function bestClients(url: string, accounts: number, seconds: number): Promise<number> {
  let best = { clients: 0, perSecond: 0 };
  for (const clients of [8, 16, 32, 64]) {
    const next = await rawUpdates(url, accounts, clients, Math.min(seconds, 2));
    if (next.perSecond > best.perSecond) best = next;
  }
  return best.clients;
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
