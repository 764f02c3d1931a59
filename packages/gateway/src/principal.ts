import type { AccountId } from "@bursar/contract/ids";
import type { Deps } from "@bursar/engine/deps";
import type { Cap } from "@bursar/engine/ledger/command";

/** Who calls, as the server's authentication found out. */
export interface Principal {
  readonly accountId: AccountId;
  readonly keyId: string | null;
  /** How ledger entries name the caller: `key:…`. */
  readonly by: string;
  readonly caps: readonly Cap[];
}

export type EngineDeps = Pick<Deps, "ledger" | "prices" | "clock" | "refusals" | "log">;
