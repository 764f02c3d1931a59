import { createHash, randomBytes } from "node:crypto";
import { Client } from "pg";
import { connectionOptions } from "../connection.ts";
import { migrate } from "../migrate.ts";
import { readMigrationFiles } from "../migration-files.ts";

export interface TestDatabase {
  readonly url: string;
  /** Ends its connections and deletes it. */
  drop(): Promise<void>;
}

/** Serialises the makers of templates. */
const TEMPLATE_LOCK = 7_238_110_256;

/** A fresh, migrated database in a cluster. The first call for a set of migrations makes a template; every call
 *  copies one, in some tens of milliseconds. Any number of processes may call it at once. */
export async function createDatabaseFromTemplate(request: {
  clusterUrl: string;
  directory: string;
}): Promise<TestDatabase> {
  const template = await ensureTemplate(request.clusterUrl, request.directory);
  const name = `test_${randomBytes(8).toString("hex")}`;
  await administer(request.clusterUrl, (client) =>
    client.query(`create database ${name} template ${template}`),
  );
  return {
    url: urlOf(request.clusterUrl, name),
    drop: () => dropDatabase(request.clusterUrl, name),
  };
}

/** Named after its migrations' content, so that changed migrations make another one. */
async function ensureTemplate(clusterUrl: string, directory: string): Promise<string> {
  const files = await readMigrationFiles(directory);
  const content = files.map((file) => `${file.name} ${file.checksum}`).join("\n");
  const name = `template_${createHash("sha256").update(content).digest("hex").slice(0, 16)}`;
  await administer(clusterUrl, async (client) => {
    await client.query("select pg_advisory_lock($1)", [TEMPLATE_LOCK]);
    const existing = await client.query("select from pg_database where datname = $1", [name]);
    if (existing.rowCount === 0) await makeTemplate(client, { clusterUrl, directory, name });
  });
  return name;
}

/** It gets its name only when complete. Nobody may connect to it: Postgres copies no database that is in use. */
async function makeTemplate(
  client: Client,
  { clusterUrl, directory, name }: { clusterUrl: string; directory: string; name: string },
): Promise<void> {
  const unfinished = `${name}_unfinished`;
  await client.query(`drop database if exists ${unfinished} with (force)`);
  await client.query(`create database ${unfinished}`);
  await migrate({ url: urlOf(clusterUrl, unfinished), directory });
  await client.query(`alter database ${unfinished} allow_connections false`);
  await client.query(`alter database ${unfinished} rename to ${name}`);
}

function dropDatabase(clusterUrl: string, name: string): Promise<void> {
  return administer(clusterUrl, (client) => client.query(`drop database if exists ${name} with (force)`));
}

async function administer(clusterUrl: string, work: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client(connectionOptions({ url: clusterUrl, applicationName: "bursar-testing" }));
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

function urlOf(clusterUrl: string, databaseName: string): string {
  const url = new URL(clusterUrl);
  url.pathname = `/${databaseName}`;
  return url.href;
}
