import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { measureCallers, randomIntegers, round } from "./measure.ts";

const run = promisify(execFile);

export interface RawResult {
  readonly tool: "pgbench" | "pg";
  readonly clients: number;
  readonly perSecond: number;
  /** Only where it was asked for: pgbench needs a log for it. */
  readonly p99Milliseconds: number | null;
}

/** The limit of one commit per operation: one prepared `UPDATE … WHERE credits >= 1`, as people write it by hand.
 *  By pgbench where it is on the PATH, over the same unix socket, else through pg. */
export async function rawUpdates(
  url: string,
  accounts: number,
  clients: number,
  seconds: number,
  withLatencies = false,
): Promise<RawResult> {
  const hasPgbench = await run("pgbench", ["--version"]).then(
    () => true,
    () => false,
  );
  return hasPgbench
    ? byPgbench(url, accounts, clients, seconds, withLatencies)
    : byPg(url, accounts, clients, seconds);
}

export async function createRawTable(url: string, accounts: number): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`create table if not exists raw_accounts (id int primary key, credits int8 not null)
    with (fillfactor = 50)`);
  await client.query("insert into raw_accounts select i, 1000000000 from generate_series(1, $1::int) i", [
    accounts,
  ]);
  await client.query("vacuum analyze raw_accounts");
  await client.end();
}

export const TAKE_CREDIT = "update raw_accounts set credits = credits - 1 where credits >= 1 and id = ";

async function byPgbench(
  url: string,
  accounts: number,
  clients: number,
  seconds: number,
  withLatencies: boolean,
): Promise<RawResult> {
  const directory = await mkdtemp(join(tmpdir(), "bursar-pgbench-"));
  const script = join(directory, "update.sql");
  await writeFile(script, `\\set id random(1, ${accounts})\n${TAKE_CREDIT}:id;\n`);
  const { host, user, password, database } = new pg.Client({ connectionString: url });
  const log = withLatencies ? ["-l", "--log-prefix", join(directory, "log")] : [];
  const args = [
    "-n",
    "-M",
    "prepared",
    "-f",
    script,
    "-c",
    String(clients),
    "-j",
    "1",
    "-T",
    String(Math.ceil(seconds)),
    ...log,
  ];
  const { stdout } = await run("pgbench", args, {
    env: { ...process.env, PGHOST: host, PGUSER: user, PGPASSWORD: String(password), PGDATABASE: database },
    maxBuffer: 1 << 24,
  });
  const perSecond = Math.round(Number(/tps = ([\d.]+)/.exec(stdout)?.[1]));
  const p99Milliseconds = withLatencies ? await p99OfLogs(directory) : null;
  await rm(directory, { recursive: true, force: true });
  return { tool: "pgbench", clients, perSecond, p99Milliseconds };
}

/** The third column of a pgbench log is a transaction's time in microseconds. */
async function p99OfLogs(directory: string): Promise<number> {
  const { stdout } = await run("sh", ["-c", `cat ${directory}/log.* | awk '{print $3}' | sort -n`], {
    maxBuffer: 1 << 28,
  });
  const times = stdout.trim().split("\n");
  return round(Number(times[Math.floor(times.length * 0.99)]) / 1000);
}

async function byPg(url: string, accounts: number, clients: number, seconds: number): Promise<RawResult> {
  const connections = Array.from({ length: clients }, () => new pg.Client({ connectionString: url }));
  await Promise.all(connections.map((client) => client.connect()));
  const random = randomIntegers(1);
  const measured = await measureCallers(clients, seconds, (caller) =>
    connections[caller]!.query({
      name: "raw",
      text: `${TAKE_CREDIT}$1`,
      values: [1 + random(accounts)],
    }),
  );
  await Promise.all(connections.map((client) => client.end()));
  const { perSecond, p99Milliseconds } = measured;
  return { tool: "pg", clients, perSecond, p99Milliseconds };
}
