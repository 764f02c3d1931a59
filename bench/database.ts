import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { APPLICATION_ROLE, connectionOptions } from "@bursar/database/connection";
import { startEmbeddedPostgres } from "@bursar/database/embedded";
import { migrate } from "@bursar/database/migrate";
import { openPool } from "@bursar/database/pool";
import { systemClock } from "@bursar/engine/clock/clock";
import { type Ledger, openLedger } from "@bursar/engine/ledger/ledger";
import pg from "pg";

export interface BenchDatabase {
  readonly url: string;
  readonly pool: pg.Pool;
  readonly ledger: Ledger;
  close(): Promise<void>;
}

const log = { info: () => undefined, warn: console.warn, error: console.error };

/** A new embedded Postgres with the product's own settings (fsync on), migrated, and a ledger on it. */
export async function openBenchDatabase(lanes: number): Promise<BenchDatabase> {
  const dataDir = await mkdtemp(join(tmpdir(), "bursar-bench-"));
  const postgres = await startEmbeddedPostgres({ dataDir: join(dataDir, "pg"), log });
  const directory = new URL("../packages/engine/migrations/", import.meta.url).pathname;
  await migrate({ url: postgres.url, directory });
  const request = { url: postgres.url, applicationName: "bench", role: APPLICATION_ROLE, log };
  const pool = openPool(request);
  const connect = () => new pg.Client(connectionOptions(request));
  const ledger = openLedger({ connect, clock: systemClock, log, lanes });
  return {
    url: postgres.url,
    pool,
    ledger,
    close: async () => {
      await ledger.close();
      await pool.end();
      await postgres.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
