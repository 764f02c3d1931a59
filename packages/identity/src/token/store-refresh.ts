import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import { withTransaction } from "@bursar/database/transaction";
import type pg from "pg";

export interface NewRefreshToken {
  readonly hash: Buffer;
  readonly createdAt: Instant;
  readonly expiresAt: Instant;
}

const INSERT = `insert into identity.refresh_tokens (session_id, token_hash, created_at, expires_at)
  values ($1, $2, $3, $4)`;

const valuesOf = (sessionId: string, token: NewRefreshToken) => [
  sessionId,
  token.hash,
  formatPostgresTimestamp(token.createdAt),
  formatPostgresTimestamp(token.expiresAt),
];

export async function insertRefreshToken(
  pool: pg.Pool,
  sessionId: string,
  token: NewRefreshToken,
): Promise<void> {
  await pool.query(INSERT, valuesOf(sessionId, token));
}

export type RotateOutcome =
  | { readonly kind: "rotated"; readonly sessionId: string; readonly userId: string }
  | { readonly kind: "unknown" }
  | { readonly kind: "expired" }
  | { readonly kind: "reused"; readonly userId: string };

/** Uses a token up and puts its successor in its place, or ends its session when it was used before. The row locks make
 *  twins take turns: of any number of refreshes with one token, one at most is the first. */
export function rotateRefreshToken(
  pool: pg.Pool,
  presented: Buffer,
  next: NewRefreshToken,
): Promise<RotateOutcome> {
  return withTransaction(pool, async (client) => {
    const { rows } = await client.query<{
      sessionId: string;
      userId: string;
      expiresAt: Instant;
      usedAt: Instant | null;
    }>(
      `select s.id as "sessionId", s.user_id as "userId", r.expires_at as "expiresAt", r.used_at as "usedAt"
       from identity.refresh_tokens r join identity.sessions s on s.id = r.session_id
       where r.token_hash = $1 for update of s, r`,
      [presented],
    );
    const found = rows[0];
    if (found === undefined) return { kind: "unknown" };
    const { sessionId, userId } = found;
    if (found.usedAt !== null) {
      await client.query("delete from identity.sessions where id = $1", [sessionId]);
      return { kind: "reused", userId };
    }
    if (found.expiresAt <= next.createdAt) return { kind: "expired" };
    const at = formatPostgresTimestamp(next.createdAt);
    await client.query("update identity.refresh_tokens set used_at = $2 where token_hash = $1", [
      presented,
      at,
    ]);
    await client.query(INSERT, valuesOf(sessionId, next));
    // The session lives as long as its family can be refreshed.
    await client.query(
      `update identity.sessions set expires_at = greatest(expires_at, now() + interval '7 days'), updated_at = now()
       where id = $1`,
      [sessionId],
    );
    return { kind: "rotated", sessionId, userId };
  });
}

/** The session that a refresh token belongs to, used or not. */
export async function sessionOfRefreshToken(pool: pg.Pool, hash: Buffer): Promise<string | null> {
  const { rows } = await pool.query<{ sessionId: string }>(
    `select session_id as "sessionId" from identity.refresh_tokens where token_hash = $1`,
    [hash],
  );
  return rows[0]?.sessionId ?? null;
}
