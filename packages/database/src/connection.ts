import type { ClientConfig } from "pg";
import { columnTypes } from "./types.ts";

/** The role that serves requests. It may not rewrite ledger entries, whatever the code above it does. */
export const APPLICATION_ROLE = "bursar_app";

export interface ConnectionRequest {
  readonly url: string;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
  /** The role to act as after login, usually `APPLICATION_ROLE`; absent: the login's own. */
  readonly role?: string;
  readonly connectTimeoutSeconds?: number;
  /** We give a query up after this, even if Postgres never answers, as when the network is cut. Absent: never. */
  readonly queryTimeoutSeconds?: number;
  /** Postgres ends a statement after this. Absent: never. */
  readonly statementTimeoutSeconds?: number;
}

const ROLE_SHAPE = /^[a-z_][a-z0-9_]*$/;

/** How every connection of Bursar is made, be it a pool's or a lane's own: UTC, ISO dates, read committed, int8 as bigint,
 *  timestamptz as Instant, everything else as pg reads it.
 *  The session's settings travel in the start-up packet, so that no connection exists for even one query without
 *  them, and they cost no round trip.
 *  Throws: a role that is not a plain lower-case name. */
export function connectionOptions(request: ConnectionRequest): ClientConfig {
  const { url, options } = takeOptions(request.url);
  const { statementTimeoutSeconds, queryTimeoutSeconds } = request;
  return {
    connectionString: url,
    application_name: request.applicationName,
    options: [...options, ...sessionSettings(request.role)].join(" "),
    types: columnTypes,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: (request.connectTimeoutSeconds ?? 10) * 1000,
    ...(queryTimeoutSeconds === undefined ? {} : { query_timeout: queryTimeoutSeconds * 1000 }),
    ...(statementTimeoutSeconds === undefined ? {} : { statement_timeout: statementTimeoutSeconds * 1000 }),
  };
}

/** What the code relies on, whatever the server, the database or the login has as its default. The ledger's locks count on
 *  read committed; a migration takes as long as it takes, and what may not says so itself. */
const SETTINGS = [
  "TimeZone=UTC",
  "DateStyle=ISO,MDY",
  "bytea_output=hex",
  "standard_conforming_strings=on",
  "default_transaction_isolation=read\\ committed",
  "statement_timeout=0",
  "lock_timeout=0",
].map((setting) => `-c ${setting}`);

function sessionSettings(role: string | undefined): readonly string[] {
  if (role === undefined) return SETTINGS;
  if (!ROLE_SHAPE.test(role)) throw new Error(`not a role name: ${JSON.stringify(role)}`);
  return [...SETTINGS, `-c role=${role}`];
}

/** pg lets what the URL says win over what the code says. A hosted Postgres may need `options` in its URL, so they
 *  are kept, but ours come last and decide. */
function takeOptions(url: string): { url: string; options: string[] } {
  if (!/[?&]options=/.test(url)) return { url, options: [] };
  const parsed = new URL(url);
  const options = parsed.searchParams.getAll("options");
  parsed.searchParams.delete("options");
  return { url: parsed.href, options };
}
