import type { AccountId, HoldId } from "@bursar/contract/ids";
import type { Deps } from "@bursar/engine/deps";
import type { Cap } from "@bursar/engine/ledger/command";

/** Who calls, as the server's authentication found out. */
export interface Principal {
  readonly accountId: AccountId;
  readonly keyId: string | null;
  /** How ledger entries name the caller: `key:…`. */
  readonly by: string;
  readonly caps: readonly Cap[];
  /** The run whose budget the call draws from. */
  readonly run?: { readonly holdId: HoldId } | null;
}

export type EngineDeps = Pick<Deps, "ledger" | "prices" | "clock" | "refusals" | "topUps" | "log" | "pool">;
