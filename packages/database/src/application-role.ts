import { type Client, DatabaseError } from "pg";
import { APPLICATION_ROLE } from "./connection.ts";
import { StartError } from "./start-error.ts";

/** What a racing twin, or a migrator of another database of the same cluster, makes Postgres say:
 *  duplicate_object, unique_violation, and "tuple concurrently updated". */
const RACE_CODES = new Set(["42710", "23505", "XX000"]);
const INSUFFICIENT_PRIVILEGE = "42501";
const ATTEMPTS = 10;

/** Makes the role that serves requests, and lets the current user act as it. Roles belong to the whole cluster, so
 *  two databases may do this at once; the loser looks again.
 *  Throws: the user may not create or grant the role, with the SQL for an administrator. */
export async function ensureApplicationRole(client: Client): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await createAndGrant(client);
    } catch (error) {
      const code = error instanceof DatabaseError ? error.code : undefined;
      if (code === INSUFFICIENT_PRIVILEGE) throw await explainPrivilege(client, error);
      if (code === undefined || !RACE_CODES.has(code) || attempt === ATTEMPTS) throw error;
    }
  }
}

async function createAndGrant(client: Client): Promise<void> {
  const exists = await client.query("select from pg_roles where rolname = $1", [APPLICATION_ROLE]);
  if (exists.rowCount === 0) await client.query(`create role ${APPLICATION_ROLE} nologin`);
  // 'SET' is what `set role` asks for since Postgres 16; before, membership was enough.
  const allowed = await client.query<{ allowed: boolean }>(
    `select pg_has_role(current_user, $1,
       case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end) as allowed`,
    [APPLICATION_ROLE],
  );
  if (allowed.rows[0]?.allowed !== true) await client.query(`grant ${APPLICATION_ROLE} to current_user`);
}

async function explainPrivilege(client: Client, cause: unknown): Promise<Error> {
  const { rows } = await client.query<{ name: string }>("select quote_ident(current_user) as name");
  const name = rows[0]?.name ?? "current_user";
  return new StartError(
    `the database user ${name} may not create or use the role ${APPLICATION_ROLE}, which Bursar serves requests with. ` +
      `An administrator must run once (the first line only if the role does not exist yet):\n` +
      `  create role ${APPLICATION_ROLE} nologin;\n  grant ${APPLICATION_ROLE} to ${name};`,
    { cause },
  );
}
