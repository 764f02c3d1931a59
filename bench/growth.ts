import { type BenchDatabase, openBenchDatabase } from "./database.ts";
import { seedAccounts, spend } from "./ledger.ts";
import { measureCallers, option, randomIntegers, report, round } from "./measure.ts";

const ACCOUNTS = 10_000;

/** Whether a long history makes the ledger slower: the rate of spends, and of balance reads, with 10 thousand entries
 *  and with `--entries` of them, all written by the ledger itself (10 million take 5 to 10 minutes). */
export async function run(args: readonly string[]): Promise<void> {
  const seconds = option(args, "seconds", 8);
  const entries = option(args, "entries", 10_000_000);
  const database = await openBenchDatabase(2);
  const random = randomIntegers(7);
  const spendAnywhere = () => spend(database, random(ACCOUNTS));
  const measure = async () => {
    const spends = await measureCallers(512, seconds, spendAnywhere);
    const reads = await measureCallers(16, 2, () => readBalance(database, random(ACCOUNTS)));
    return { spends: spends.perSecond, reads: reads.perSecond, written: spends.count };
  };
  try {
    await seedAccounts(database, ACCOUNTS);
    const young = await measure();
    let written = ACCOUNTS + young.written;
    while (written < entries) written += (await measureCallers(512, 10, spendAnywhere)).count;
    const old = await measure();
    report({
      bench: "growth",
      entries: written,
      young,
      old,
      timesYoung: { spends: round(old.spends / young.spends), reads: round(old.reads / young.reads) },
    });
  } finally {
    await database.close();
  }
}

/** A balance is one row. */
async function readBalance(database: BenchDatabase, index: number): Promise<void> {
  await database.pool.query({
    name: "bench_balance",
    text: "select available, held, owed, grants from accounts where account_id = $1",
    values: [`acct_${index}`],
  });
}
