import { addSeconds, formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type pg from "pg";
import type { Role } from "../person.ts";

type Client = Pick<pg.PoolClient, "query">;

/** Alone until the transaction ends: of deletions at once, and whatever else changes a person, one comes first. Null when
 *  there is no such person. */
export async function lockPerson(
  client: Client,
  id: string,
): Promise<{ readonly role: Role; readonly isLeaving: boolean } | null> {
  const locked = await client.query("select from identity.people where id = $1 for update", [id]);
  if (locked.rowCount === 0) return null;
  const { rows } = await client.query<{ role: Role; isLeaving: boolean }>(
    `select role, exists (select from identity.deletions d where d.person_id = p.id) as "isLeaving"
     from identity.people p where id = $1`,
    [id],
  );
  return rows[0] ?? null;
}

/** Whoever goes on with a deletion is left alone with it for so long. */
const LEASE_SECONDS = 60;

/** From now on the person is about to go, and nobody comes in as them: with their sessions go the tokens of these, and
 *  with what was begun of sign-ins the links of mails and the devices. */
export async function insertDeletion(client: Client, personId: string, now: Instant): Promise<void> {
  const [asked, due] = [now, addSeconds(now, LEASE_SECONDS)].map(formatPostgresTimestamp);
  await client.query("insert into identity.deletions (person_id, asked_at, due_at) values ($1, $2, $3)", [
    personId,
    asked,
    due,
  ]);
  await client.query(
    `with sessions as (delete from identity.sessions where user_id = $1),
       links as (delete from identity.verifications where value = $1),
       devices as (delete from identity.device_codes where user_id = $1)
     update identity.people set disabled = true, updated_at = now() where id = $1`,
    [personId],
  );
}

/** Takes deletions that have come to no end, the longest due first, each for one process alone for a minute. */
export async function takeDueDeletions(pool: pg.Pool, now: Instant, limit: number): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `update identity.deletions set due_at = $2 where person_id in (
       select person_id from identity.deletions where due_at <= $1 order by due_at limit $3 for update skip locked
     ) returning person_id as id`,
    [formatPostgresTimestamp(now), formatPostgresTimestamp(addSeconds(now, LEASE_SECONDS)), limit],
  );
  return rows.map(({ id }) => id);
}
