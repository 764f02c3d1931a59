import pg from "pg";

/** The session of a session token, while its person may come in. */
export async function findSession(
  pool: pg.Pool,
  token: string,
): Promise<{ id: string; userId: string } | null> {
  const { rows } = await pool.query<{ id: string; userId: string }>(
    `select s.id, s.user_id as "userId" from identity.sessions s join identity.people p on p.id = s.user_id
     where s.token = $1 and not p.disabled`,
    [token],
  );
  return rows[0] ?? null;
}

/** With the session goes its whole family of refresh tokens. False when there is none, or none of this person. */
export async function deleteSession(pool: pg.Pool, id: string, userId?: string): Promise<boolean> {
  const { rowCount } = await pool.query(
    "delete from identity.sessions where id = $1 and ($2::text is null or user_id = $2)",
    [id, userId ?? null],
  );
  return rowCount === 1;
}

export interface SessionRecord {
  readonly id: string;
  readonly address: string | null;
  readonly userAgent: string | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

export async function listSessions(pool: pg.Pool, userId: string): Promise<SessionRecord[]> {
  const { rows } = await pool.query<SessionRecord>({
    text: `select id, ip_address as address, user_agent as "userAgent", created_at as "createdAt",
             expires_at as "expiresAt"
           from identity.sessions where user_id = $1 and expires_at > now() order by created_at desc, id`,
    values: [userId],
    // As dates: this is for people to read, and the library counts in milliseconds.
    types: pg.types,
  });
  return rows;
}

/** With what could become a session yet. */
export async function deleteSessionsOf(pool: pg.Pool, userId: string): Promise<void> {
  await pool.query("delete from identity.sessions where user_id = $1", [userId]);
  await forgetPending(pool, userId);
}

/** What somebody has begun and could still come in by: second steps, links of mails, devices that they have approved. Who
 *  began it may have been somebody else, with the password or the session that has just been ended. */
export async function forgetPending(pool: pg.Pool, userId: string): Promise<void> {
  await pool.query(
    `with links as (delete from identity.verifications where value = $1)
     delete from identity.device_codes where user_id = $1`,
    [userId],
  );
}

/** Whether this session is as young as that, and the person has come in by themselves since then: one with refresh tokens
 *  was made for a program by somebody who was signed in already, so that another session must speak for it. */
export async function hasComeInSince(
  pool: pg.Pool,
  { personId, sessionId, seconds }: { personId: string; sessionId: string; seconds: number },
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `select from identity.sessions s, identity.sessions own
     where s.user_id = $1 and own.user_id = $1 and own.id = $2
       and least(s.created_at, own.created_at) > now() - make_interval(secs => $3)
       and not exists (select from identity.refresh_tokens r where r.session_id = s.id)
     limit 1`,
    [personId, sessionId, seconds],
  );
  return rowCount === 1;
}

/** Removes what nobody can use any more. Real time, as better-auth counts it, except for what the clock of the product
 *  has dated itself: a session goes with its last usable refresh token or later. */
export async function deleteExpired(pool: pg.Pool): Promise<void> {
  await pool.query("delete from identity.sessions where expires_at < now()");
  await pool.query("delete from identity.verifications where expires_at < now()");
  await pool.query("delete from identity.device_codes where expires_at < now()");
  await pool.query("delete from identity.used_codes where expires_at < now()");
  await pool.query("delete from identity.attempts where expire < extract(epoch from now()) * 1000");
}
