import { LedgerUnavailable } from "./lane.ts";

const CONNECTION_FAULTS = /^(08|57|53)|^(ECONN|ENOENT|EPIPE|ETIMEDOUT|EAI_)/;

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
