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
