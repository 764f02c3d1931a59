import type { Log } from "../log.ts";
import type { PostgresSettings } from "./settings.ts";

export interface EmbeddedPostgres {
  /** Logs in as the superuser. Holds the password. */
  readonly url: string;
  readonly socketDirectory: string;
  readonly pid: number;
  /** A fast shutdown: open transactions are rolled back, nothing acknowledged is lost. At most about 25 seconds. */
  stop(): Promise<void>;
}

export interface EmbeddedRequest {
  /** A folder of its own; made when missing. Holds the cluster, its password and its log. */
  readonly dataDir: string;
  /** Over the defaults, which suit a small ledger machine. */
  readonly settings?: PostgresSettings;
  readonly log?: Log;
  /** Hears why, once, when Postgres has ended although nobody called `stop`, as when it was killed. */
  readonly onLost?: (reason: string) => void;
  /** Delete the folder when Postgres ends, even if our process has been killed. For tests. */
  readonly temporary?: boolean;
}
