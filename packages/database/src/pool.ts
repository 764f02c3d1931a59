import { Pool } from "pg";
import { type ConnectionRequest, connectionOptions } from "./connection.ts";
import type { Log } from "./log.ts";

export interface PoolRequest extends ConnectionRequest {
  readonly log: Log;
  /** Most connections at once; default 10. */
  readonly connections?: number;
  /** Postgres ends a session that sits idle inside a transaction for longer; default 60. */
  readonly idleInTransactionSeconds?: number;
}

const DEFAULT_CONNECTIONS = 10;
const DEFAULT_STATEMENT_TIMEOUT_SECONDS = 30;
const DEFAULT_IDLE_IN_TRANSACTION_SECONDS = 60;

/** Opens no connection by itself. A connection that breaks is logged and replaced; queries under way on it reject.
 *  The caller ends the pool. */
export function openPool(request: PoolRequest): Pool {
  const statementTimeoutSeconds = request.statementTimeoutSeconds ?? DEFAULT_STATEMENT_TIMEOUT_SECONDS;
  const idleInTransactionSeconds = request.idleInTransactionSeconds ?? DEFAULT_IDLE_IN_TRANSACTION_SECONDS;
  const pool = new Pool({
    ...connectionOptions({ ...request, statementTimeoutSeconds }),
    max: request.connections ?? DEFAULT_CONNECTIONS,
    idle_in_transaction_session_timeout: idleInTransactionSeconds * 1000,
    idleTimeoutMillis: 60_000,
  });
  reportBrokenConnections(pool, request.log);
  return pool;
}

/** Without a listener an "error" event ends the process. The pool listens only while a connection is idle, so each
 *  connection gets a listener of its own for the time it is lent out. */
function reportBrokenConnections(pool: Pool, log: Log): void {
  pool.on("error", (error) => {
    // Of a pool that is being closed, a connection may hear of the server's end before its own.
    if (!pool.ending) log.warn({ err: error }, "an idle database connection broke");
  });
  pool.on("connect", (client) => {
    client.on("error", () => {
      // Whoever holds the connection gets the same error from its query; an idle one is reported above.
    });
  });
}
