import { APPLICATION_ROLE, connectionOptions } from "@bursar/database/connection";
import { verifyLedger } from "@bursar/engine/ledger/verify";
import pg from "pg";
import { openBenchDatabase } from "./database.ts";
import { seedAccounts, spend } from "./ledger.ts";
import { measureCallers, option, report } from "./measure.ts";

const ACCOUNTS = 10_000;

/** How fast the ledger proves itself, over entries that the ledger itself has written. */
export async function run(args: readonly string[]): Promise<void> {
  const entries = option(args, "entries", 1_000_000);
  const database = await openBenchDatabase(2);
  try {
    await seedAccounts(database, ACCOUNTS);
    let left = entries;
    while (left > 0) {
      const { count } = await measureCallers(512, 5, () =>
        spend(database, Math.floor(Math.random() * ACCOUNTS)),
      );
      left -= count;
    }
    const request = { url: database.url, applicationName: "bench-verify", role: APPLICATION_ROLE };
    for (let turn = 0; turn < 3; turn += 1) {
      const { problemCount, ...rest } = await verifyLedger(() => new pg.Client(connectionOptions(request)));
      report({
        bench: "verify",
        entries: rest.entries,
        entriesPerSecond: rest.entriesPerSecond,
        problemCount,
      });
    }
  } finally {
    await database.close();
  }
}
