import type { AccountId } from "@bursar/contract/ids";
import { formatInstant, type Instant, parseInstant } from "@bursar/contract/instant";
import type { Deps } from "../deps.ts";

const FIELD = "topup_policies.encrypted_auto_topup_last_triggered";

/** When a top-up was last begun, kept encrypted and read from the cache where that has it. For showing only: cooldown
 *  and caps are decided by the attempts themselves, so that a lost or stale cache never allows a second charge. */
export async function lastTriggeredAt(
  deps: Pick<Deps, "secrets">,
  accountId: AccountId,
): Promise<Instant | null> {
  const text = await deps.secrets.read(accountId, FIELD);
  return text === null ? null : parseInstant(text);
}

/** Where nothing can be encrypted, a top-up goes on without. */
export async function keepTriggered(
  deps: Pick<Deps, "secrets" | "log">,
  accountId: AccountId,
  at: Instant,
): Promise<void> {
  await deps.secrets.write(accountId, FIELD, formatInstant(at)).catch((error: unknown) => {
    deps.log.warn({ err: error, accountId }, "when a top-up was begun could not be kept");
  });
}
