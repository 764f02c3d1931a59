import { withTransaction } from "@bursar/database/transaction";
import type pg from "pg";
import { lockAdministrators } from "./store.ts";

/** Whoever would be left could make no other: nothing has changed. */
export interface LastAdministrator {
  readonly kind: "last_administrator";
}

/** Takes somebody away in a transaction: however many administrators take one another away at once, one is left. */
export function unlessLast<Outcome>(
  pool: pg.Pool,
  id: string,
  work: (client: pg.PoolClient) => Promise<Outcome>,
): Promise<Outcome | LastAdministrator> {
  return withTransaction(pool, async (client): Promise<Outcome | LastAdministrator> => {
    const administrators = await lockAdministrators(client);
    const isLast = administrators.length === 1 && administrators[0] === id;
    return isLast ? { kind: "last_administrator" } : work(client);
  });
}
