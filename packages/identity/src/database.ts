import { CamelCasePlugin, Kysely, PostgresDialect, type PostgresPoolClient } from "kysely";
import pg from "pg";

/** Kysely on our own pool, for better-auth: schema `identity`, snake case, and plain JavaScript types, where ours are
 *  exact ones (a timestamptz is a Date there, and not an Instant). */
export function kyselyOn(pool: pg.Pool): Kysely<unknown> {
  const lent = {
    connect: async () => withPlainTypes(await pool.connect()),
    options: pool.options,
    // The pool is not ours to end.
    end: () => Promise.resolve(),
  };
  return new Kysely<unknown>({
    dialect: new PostgresDialect({ pool: lent }),
    plugins: [new CamelCasePlugin()],
  });
}

function withPlainTypes(client: pg.PoolClient): PostgresPoolClient {
  const query = (text: string, values: readonly unknown[]) =>
    client.query({ text, values: [...values], types: pg.types });
  return { query, release: () => client.release() } as unknown as PostgresPoolClient;
}
