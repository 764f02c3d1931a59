import { Client } from "pg";
import { APPLICATION_ROLE, connectionOptions } from "./connection.ts";
import { StartError } from "./start-error.ts";

interface Session {
  readonly role: string;
  readonly schema: string | null;
}

/** Makes sure, before anything is made or served, that connections for requests are what the code takes them for: of
 *  `APPLICATION_ROLE`, which may not rewrite the ledger, and looking where migrations make their tables.
 *  Throws: they are not, saying what would mend it. */
export async function assertSession(url: string, migrator: Client): Promise<void> {
  const serving = new Client(
    connectionOptions({ url, applicationName: "bursar-migrate", role: APPLICATION_ROLE }),
  );
  serving.on("error", () => undefined);
  await serving.connect();
  try {
    const [ours, theirs] = [await sessionOf(migrator), await sessionOf(serving)];
    if (theirs.role !== APPLICATION_ROLE) throw poolerError(theirs.role);
    if (theirs.schema !== ours.schema || ours.schema === null) throw schemaError(ours, theirs);
  } finally {
    await serving.end();
  }
}

async function sessionOf(client: Client): Promise<Session> {
  const { rows } = await client.query<Session>("select current_user as role, current_schema() as schema");
  return rows[0]!;
}

function poolerError(role: string): StartError {
  return new StartError(
    `what stands between Bursar and Postgres drops the session's settings: requests would be served as ${role} instead of ` +
      `${APPLICATION_ROLE}. Bursar keeps sessions of its own: connect to Postgres itself, or to a pool of whole sessions ` +
      "that passes start-up options on, not to one by transaction",
  );
}

function schemaError(ours: Session, theirs: Session): StartError {
  const named = (schema: string | null) => (schema === null ? "none" : `"${schema}"`);
  const isClosed = theirs.schema === null && ours.schema !== null;
  const sql = isClosed
    ? `grant usage on schema ${named(ours.schema)} to ${APPLICATION_ROLE};`
    : `alter role ${ours.role} set search_path = public;\n  grant create on schema public to ${ours.role};`;
  return new StartError(
    `tables would be made in the schema ${named(ours.schema)}, and looked for in ${named(theirs.schema)}, because ` +
      `search_path or its rights lead ${ours.role} and ${APPLICATION_ROLE} to different ones. An administrator can mend it:\n  ${sql}`,
  );
}
