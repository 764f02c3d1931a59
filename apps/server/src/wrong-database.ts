import { openPool } from "@bursar/database/pool";
import type { Deps, Log } from "@bursar/engine/deps";
import { hasKeyMadeBy, revokeKeysMadeBy } from "@bursar/engine/key/store";
import type { OpenIdentity } from "@bursar/identity/open";
import { DatabaseError } from "pg";
import { SANDBOX_MAKER } from "./sandbox/demo.ts";
import { sandboxPersonIn } from "./sandbox/people.ts";
import { SettingsError } from "./settings/error.ts";

/** Who makes the admin key of a live server's environment. That key is live mode's trace in a database: it stays when
 *  it is revoked. */
export const LIVE_KEY_MAKER = "system:environment";

const UNDEFINED_TABLE = "42P01";

/** A sandbox puts an administrator with a public password, and credits for nothing, into its database. Asked before
 *  anything is done to it, its migrations included.
 *  Throws: SettingsError where live mode has run on it. */
export async function refuseLiveDatabase(url: string, log: Log): Promise<void> {
  const pool = openPool({ url, log, applicationName: "bursar-start", connections: 1 });
  try {
    if (!(await hasKeyMadeBy(pool, LIVE_KEY_MAKER))) return;
  } catch (error) {
    if (error instanceof DatabaseError && error.code === UNDEFINED_TABLE) return;
    throw error;
  } finally {
    await pool.end();
  }
  throw new SettingsError(
    "DATABASE_URL: is the database of a live server, which a sandbox would open with public passwords; " +
      "for the live server set NODE_ENV=production, for a sandbox name another database, or none",
  );
}

/** Throws: SettingsError where a password that everybody knows would open a live server. */
export async function refuseSandboxPeople(identity: OpenIdentity): Promise<void> {
  const username = await sandboxPersonIn(identity);
  if (username === null) return;
  throw new SettingsError(
    `DATABASE_URL: holds the sandbox user "${username}" with its public password, which live mode refuses; ` +
      `use another database, or delete the user: delete from identity.people where username = '${username}'`,
  );
}

/** The keys that a sandbox has made in this database lie in a file of whoever ran it: live mode takes none. */
export function endSandboxKeys({ pool, clock }: Pick<Deps, "pool" | "clock">): Promise<void> {
  return revokeKeysMadeBy(pool, SANDBOX_MAKER, clock.now());
}
