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

/** How every connection of Bursar is made, be it a pool's or a lane's own: UTC, ISO dates, int8 as bigint,
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

function sessionSettings(role: string | undefined): string[] {
  const settings = ["-c TimeZone=UTC", "-c DateStyle=ISO"];
  if (role === undefined) return settings;
  if (!ROLE_SHAPE.test(role)) throw new Error(`not a role name: ${JSON.stringify(role)}`);
  return [...settings, `-c role=${role}`];
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
