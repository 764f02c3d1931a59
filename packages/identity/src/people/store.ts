import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import { withTransaction } from "@bursar/database/transaction";
import type pg from "pg";
import type { Person, Role } from "../person.ts";
import { accountIdOf } from "./naming.ts";

export interface PersonRecord extends Person {
  readonly disabled: boolean;
  /** False only where the process died between the person and the account. */
  readonly hasAccount: boolean;
}

type Queryable = Pick<pg.PoolClient, "query">;

type Row = Omit<PersonRecord, "accountId">;

const COLUMNS = `p.id, p.username, p.email, p.name, p.role, p.email_verified as "emailVerified", p.disabled,
  exists (select from accounts a where a.account_id = 'acct_' || substr(p.id, 6)) as "hasAccount"`;

const personOf = (row: Row): PersonRecord => ({ ...row, accountId: accountIdOf(row.id) });

/** By id before username before e-mail, in any case. */
export async function findPerson(pool: pg.Pool, named: string): Promise<PersonRecord | null> {
  const { rows } = await pool.query<Row>(
    `select ${COLUMNS} from identity.people p where p.id = lower($1) or p.username = lower($1) or p.email = lower($1)
     order by (p.id = lower($1)) desc, (p.username is not distinct from lower($1)) desc limit 1`,
    [named],
  );
  return rows[0] === undefined ? null : personOf(rows[0]);
}

/** Whose session this is; null when it has ended, by its time, too. */
export async function findPersonOfSession(pool: pg.Pool, sessionId: string): Promise<PersonRecord | null> {
  const { rows } = await pool.query<Row>({
    name: "person_of_session",
    text: `select ${COLUMNS} from identity.sessions s join identity.people p on p.id = s.user_id
           where s.id = $1 and s.expires_at > now()`,
    values: [sessionId],
  });
  return rows[0] === undefined ? null : personOf(rows[0]);
}

export interface NewPerson {
  readonly id: string;
  readonly email: string;
  readonly username: string | null;
  readonly name: string;
  readonly role: Role;
  readonly emailVerified: boolean;
  readonly passwordHash: string | null;
  readonly createdAt: Instant;
}

/** The person and the password, or neither. False when the id, the e-mail or the username is taken: the unique indexes
 *  decide, however many try at once. */
export function insertPerson(pool: pg.Pool, person: NewPerson): Promise<boolean> {
  const { id, email, username, name, role, emailVerified, passwordHash, createdAt } = person;
  const at = formatPostgresTimestamp(createdAt);
  return withTransaction(pool, async (client) => {
    const { rowCount } = await client.query(
      `insert into identity.people (id, name, email, username, email_verified, role, created_at, updated_at)
       values ($1, $2, lower($3), lower($4), $5, $6, $7, $7) on conflict do nothing`,
      [id, name, email, username, emailVerified, role, at],
    );
    if (rowCount === 0) return false;
    if (passwordHash !== null) {
      await client.query(
        `insert into identity.logins (id, user_id, account_id, provider_id, password, created_at, updated_at)
         values ('login_' || substr($1, 6), $1, $1, 'credential', $2, $3, $3)`,
        [id, passwordHash, at],
      );
    }
    return true;
  });
}

/** Where mail about this person's account goes, as long as they may use it; null for nobody. */
export async function findAddress(queryable: Queryable, id: string): Promise<string | null> {
  const { rows } = await queryable.query<{ email: string }>(
    "select email from identity.people where id = $1 and not disabled",
    [id],
  );
  return rows[0]?.email ?? null;
}

/** In id order, after a given id. */
export async function listPeople(
  pool: pg.Pool,
  request: { role: Role | null; after: string; limit: number },
): Promise<PersonRecord[]> {
  const { rows } = await pool.query<Row>(
    `select ${COLUMNS} from identity.people p where p.id > $1 and ($2::text is null or p.role = $2)
     order by p.id limit $3`,
    [request.after, request.role, request.limit],
  );
  return rows.map(personOf);
}

/** The administrators who may sign in, locked in the order of their ids: whoever would take one away next waits for this
 *  transaction, and reads who is left then. */
export async function lockAdministrators(client: Queryable): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    "select id from identity.people where role = 'admin' and not disabled order by id for no key update",
  );
  return rows.map(({ id }) => id);
}

/** Null when there is no such person. */
export async function updateRole(client: Queryable, id: string, role: Role): Promise<PersonRecord | null> {
  const { rows } = await client.query<Row>(
    `update identity.people p set role = $2, updated_at = now() where id = $1 returning ${COLUMNS}`,
    [id, role],
  );
  return rows[0] === undefined ? null : personOf(rows[0]);
}

/** With the sessions of whoever is disabled, in one statement: nobody is disabled and still signed in. Null also for
 *  letting somebody in again who is being deleted: they would buy, and own organizations, until they are. */
export async function updateDisabled(
  client: Queryable,
  id: string,
  disabled: boolean,
): Promise<PersonRecord | null> {
  const { rows } = await client.query<Row>(
    `with ended as (delete from identity.sessions where user_id = $1 and $2)
     update identity.people p set disabled = $2, updated_at = now()
     where id = $1 and ($2 or not exists (select from identity.deletions d where d.person_id = p.id))
     returning ${COLUMNS}`,
    [id, disabled],
  );
  return rows[0] === undefined ? null : personOf(rows[0]);
}

/** Takes sessions, logins, tokens and links of mails along. Answers what the address was; null when there is no such
 *  person. */
export async function deletePerson(
  client: Queryable,
  id: string,
): Promise<Pick<Person, "email" | "emailVerified"> | null> {
  const { rows } = await client.query<Pick<Person, "email" | "emailVerified">>(
    `with links as (delete from identity.verifications where value = $1)
     delete from identity.people where id = $1 returning email, email_verified as "emailVerified"`,
    [id],
  );
  return rows[0] ?? null;
}

/** Mail has arrived, so the address is theirs. */
export async function markVerified(pool: pg.Pool, id: string): Promise<void> {
  await pool.query("update identity.people set email_verified = true, updated_at = now() where id = $1", [
    id,
  ]);
}

export async function findPasswordHash(pool: pg.Pool, id: string): Promise<string | null> {
  const { rows } = await pool.query<{ password: string | null }>(
    "select password from identity.logins where user_id = $1 and provider_id = 'credential'",
    [id],
  );
  return rows[0]?.password ?? null;
}
