import { Client, DatabaseError, type Pool } from "pg";
import { ensureApplicationRole } from "./application-role.ts";
import { APPLICATION_ROLE, connectionOptions } from "./connection.ts";
import { type MigrationFile, readMigrationFiles } from "./migration-files.ts";
import { assertSession } from "./session.ts";
import { StartError } from "./start-error.ts";

export interface MigrationResult {
  /** The names applied by this call, in order. */
  readonly applied: string[];
  /** How many had been applied before. */
  readonly already: number;
}

interface AppliedMigration {
  readonly name: string;
  readonly checksum: string;
}

/** Any constant will do, as long as every migrator uses the same. */
const MIGRATION_LOCK = 7_238_110_255;
const UNDEFINED_TABLE = "42P01";

/** Brings a database up to the migrations of a folder, each in its own transaction. Forward only. Several processes
 *  may call it at once: one applies, the others wait and find the work done.
 *  Throws: an applied file has changed; the database knows migrations that the folder does not; a numbering fault;
 *  a migration's SQL fails, naming the file (those before it stay applied); the role cannot be made, or would not be
 *  the one that serves. */
export async function migrate(request: { url: string; directory: string }): Promise<MigrationResult> {
  const files = await readMigrationFiles(request.directory);
  const client = new Client(connectionOptions({ url: request.url, applicationName: "bursar-migrate" }));
  // A connection that breaks between two queries is told of by the next: without a listener it would end the process.
  client.on("error", () => undefined);
  await client.connect();
  try {
    await ensureApplicationRole(client);
    await assertSession(request.url, client);
    // Session-wide, and gone with the connection: a migrator that dies blocks nobody.
    await client.query("select pg_advisory_lock($1)", [MIGRATION_LOCK]);
    await ensureRecord(client);
    return await applyMissing(client, files);
  } finally {
    await client.end();
  }
}

/** The names that `migrate` would apply; empty when the database is ready for this code. Those that a newer version has
 *  added behind ours do not count: while processes are replaced one by one, the older ones go on.
 *  Throws: as `migrate` does when database and folder disagree. */
export async function pendingMigrations(request: { pool: Pool; directory: string }): Promise<string[]> {
  const files = await readMigrationFiles(request.directory);
  const applied = await readApplied(request.pool);
  return missing(files, applied.slice(0, files.length)).map((file) => file.name);
}

async function ensureRecord(client: Client): Promise<void> {
  await client.query(`
    create table if not exists schema_migrations (
      name text primary key,
      checksum text not null,
      applied_at timestamptz not null default now()
    )`);
  await client.query(`grant select on schema_migrations to ${APPLICATION_ROLE}`);
}

async function applyMissing(client: Client, files: MigrationFile[]): Promise<MigrationResult> {
  const applied = await readApplied(client);
  const toApply = missing(files, applied);
  for (const file of toApply) await apply(client, file);
  return { applied: toApply.map((file) => file.name), already: applied.length };
}

async function readApplied(database: Client | Pool): Promise<AppliedMigration[]> {
  try {
    const result = await database.query<AppliedMigration>(
      "select name, checksum from schema_migrations order by name",
    );
    return result.rows;
  } catch (error) {
    if (error instanceof DatabaseError && error.code === UNDEFINED_TABLE) return [];
    throw error;
  }
}

/** Files and record must agree from the first migration on; what the record lacks at the end is missing. */
function missing(files: MigrationFile[], applied: AppliedMigration[]): MigrationFile[] {
  applied.forEach((record, index) => assertSame(record, files[index]));
  return files.slice(applied.length);
}

function assertSame(record: AppliedMigration, file: MigrationFile | undefined): void {
  if (file === undefined) {
    throw new StartError(
      `the database has migration ${record.name}, which this code does not know: the code is older than the database`,
    );
  }
  if (file.name !== record.name) {
    throw new StartError(`migration ${record.name} was applied where this code has ${file.name}`);
  }
  if (file.checksum !== record.checksum) {
    throw new StartError(
      `migration ${file.name} was changed after it had been applied; write a new migration instead`,
    );
  }
}

/** The record is written in the migration's own transaction: it is applied and recorded, or neither. */
async function apply(client: Client, file: MigrationFile): Promise<void> {
  try {
    await client.query("begin");
    await client.query(file.sql);
    await client.query("insert into schema_migrations (name, checksum) values ($1, $2)", [
      file.name,
      file.checksum,
    ]);
    await client.query("commit");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartError(`migration ${file.name} failed: ${reason}`, { cause: error });
  }
}
