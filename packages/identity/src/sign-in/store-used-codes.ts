import type pg from "pg";

/** True for the first one only, however many come at once: the primary key decides. */
export async function useCode(
  pool: pg.Pool,
  userId: string,
  codeHash: Buffer,
  seconds: number,
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `insert into identity.used_codes (user_id, code_hash, expires_at)
     values ($1, $2, now() + $3 * interval '1 second') on conflict do nothing`,
    [userId, codeHash, seconds],
  );
  return rowCount === 1;
}

/** The sealed secret of somebody's second factor; null where none is switched on. */
export async function findTwoFactor(pool: pg.Pool, userId: string): Promise<string | null> {
  const { rows } = await pool.query<{ secret: string }>(
    `select f.secret from identity.two_factors f join identity.people p on p.id = f.user_id
     where f.user_id = $1 and f.verified and p.two_factor_enabled`,
    [userId],
  );
  return rows[0]?.secret ?? null;
}
