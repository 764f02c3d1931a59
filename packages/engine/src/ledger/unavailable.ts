import { LedgerUnavailable } from "./lane.ts";

/** Connections, resources and shutdowns; who may not come in (28, 3D), as while a password is changed; a database that
 *  may only be read (25006), as the old one after a switch; and the network's own. */
const CONNECTION_FAULTS = /^(08|57|53|28|3D|25006)|^(ECONN|ENOENT|ENOTFOUND|EPIPE|ETIMEDOUT|EAI_|EHOST|ENET)/;

/** Whether the database was out of reach, rather than the code wrong. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof LedgerUnavailable) return true;
  if (!(error instanceof Error)) return false;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  return (
    CONNECTION_FAULTS.test(code) ||
    /Connection terminated|timeout exceeded|Query read timeout/.test(error.message)
  );
}
