import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type pg from "pg";
import type { Queryable } from "../mail/store.ts";

/** How often the scope has tried within the window. Whoever asks next waits until the transaction ends. */
export async function lockTries(client: Queryable, scope: string, start: Instant): Promise<number> {
  const { rows } = await client.query<{ tries: number }>(
    `insert into code_tries as t (scope, window_start, tries) values ($1, $2, 0)
     on conflict (scope, window_start) do update set tries = t.tries returning tries`,
    [scope, formatPostgresTimestamp(start)],
  );
  return rows[0]!.tries;
}

export async function countTries(client: Queryable, scope: string, start: Instant): Promise<number> {
  const { rows } = await client.query<{ tries: number }>(
    "select tries from code_tries where scope = $1 and window_start = $2",
    [scope, formatPostgresTimestamp(start)],
  );
  return rows[0]?.tries ?? 0;
}

export async function addTry(client: Queryable, scope: string, start: Instant): Promise<void> {
  await client.query(
    `insert into code_tries as t (scope, window_start, tries) values ($1, $2, 1)
     on conflict (scope, window_start) do update set tries = t.tries + 1`,
    [scope, formatPostgresTimestamp(start)],
  );
}

export async function forgetTries(pool: pg.Pool, before: Instant): Promise<void> {
  await pool.query("delete from code_tries where window_start < $1", [formatPostgresTimestamp(before)]);
}
