import type { AccountId } from "@bursar/contract/ids";
import { withTransaction } from "@bursar/database/transaction";
import { type SecretDeps, unwrap, wrap } from "./data-keys.ts";
import type { MasterKey, MasterKeys } from "./master-keys.ts";
import type { WrappedKey } from "./store.ts";
import { countByMasterKey, lockKeysToRewrap, type MasterKeyUse, updateWrapped } from "./store-rotate.ts";
import { SecretUnreadable } from "./unreadable.ts";

export interface Rotation {
  /** The newest master key. */
  readonly masterKeyId: string;
  readonly rewrapped: number;
  /** Data keys still under an older master key that is set: rotate again. */
  readonly remaining: number;
  /** Accounts whose data key was changed from outside. */
  readonly damaged: readonly AccountId[];
  /** Data keys under master keys that are not set. */
  readonly missing: readonly MasterKeyUse[];
}

const BATCH = 200;
const MOST_BATCHES = 50;

/** Wraps data keys anew under the newest master key, up to 10,000 a call; what they encrypt stays as it is. Every batch
 *  is a transaction: it can be stopped and called again at any time, by several at once, beside servers that read and
 *  write. Throws SecretUnreadable: no master key is set; database unreachable. */
export async function rotateDataKeys(deps: SecretDeps, masterKeys: MasterKeys): Promise<Rotation> {
  const { newest } = masterKeys;
  if (newest === null)
    throw new SecretUnreadable("master_key_missing", "no master key is set: set BURSAR_MASTER_KEY");
  const damaged: AccountId[] = [];
  let rewrapped = 0;
  let after = "";
  for (let batch = 0; batch < MOST_BATCHES; batch++) {
    const done = await rotateBatch(deps, masterKeys, newest, after);
    if (done === null) break;
    rewrapped += done.rewrapped;
    damaged.push(...done.damaged);
    after = done.last;
  }
  const used = await countByMasterKey(deps.pool);
  const older = used.filter(({ masterKeyId }) => masterKeyId !== newest.id);
  const [known, missing] = [true, false].map((isKnown) =>
    older.filter(({ masterKeyId }) => (masterKeys.find(masterKeyId) !== null) === isKnown),
  );
  const left = known!.reduce((sum, { dataKeys }) => sum + dataKeys, 0);
  return {
    masterKeyId: newest.id,
    rewrapped,
    remaining: Math.max(0, left - damaged.length),
    damaged,
    missing: missing!,
  };
}

interface Batch {
  readonly rewrapped: number;
  readonly damaged: readonly AccountId[];
  readonly last: AccountId;
}

/** null when there was nothing more to do. */
function rotateBatch(
  deps: SecretDeps,
  masterKeys: MasterKeys,
  newest: MasterKey,
  after: string,
): Promise<Batch | null> {
  const knownIds = masterKeys.all.map(({ id }) => id);
  return withTransaction(deps.pool, async (client) => {
    const keys = await lockKeysToRewrap(client, { newestId: newest.id, knownIds, after, limit: BATCH });
    const last = keys.at(-1)?.accountId;
    if (last === undefined) return null;
    const fresh = keys.flatMap((key) => rewrap(masterKeys, newest, key) ?? []);
    await updateWrapped(client, fresh, deps.clock.now());
    const done = new Set(fresh.map(({ accountId }) => accountId));
    const damaged = keys.map(({ accountId }) => accountId).filter((accountId) => !done.has(accountId));
    return { rewrapped: fresh.length, damaged, last };
  });
}

/** null for a key that is damaged: it is left as it is, for a backup to be compared with. */
function rewrap(masterKeys: MasterKeys, newest: MasterKey, key: WrappedKey): WrappedKey | null {
  try {
    return wrap(newest, { accountId: key.accountId, ...unwrap(masterKeys, key) });
  } catch (error) {
    if (error instanceof SecretUnreadable) return null;
    throw error;
  }
}
