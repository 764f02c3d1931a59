import { randomBytes } from "node:crypto";
import type { AccountId } from "@bursar/contract/ids";
import type pg from "pg";
import type { Clock } from "../clock/clock.ts";
import { type CacheSettings, openCache } from "./cache.ts";
import { decrypt, encrypt, KEY_BYTES } from "./envelope.ts";
import type { MasterKey, MasterKeys } from "./master-keys.ts";
import { findDataKey, insertDataKey, type WrappedKey } from "./store.ts";
import { masterKeyMissing, SecretUnreadable } from "./unreadable.ts";

/** What secrets need; not picked from `Deps`, which has them. */
export interface SecretDeps {
  readonly pool: pg.Pool;
  readonly clock: Clock;
}

export interface DataKey {
  readonly id: string;
  readonly key: Buffer;
}

export interface DataKeys {
  /** The account's key, made at first use. Throws SecretUnreadable; database unreachable. */
  forSealing(accountId: AccountId): Promise<DataKey>;
  /** null when the account has none. Throws SecretUnreadable; database unreachable. */
  forOpening(accountId: AccountId): Promise<DataKey | null>;
}

const LIFETIME: CacheSettings = { limit: 10_000, lifetimeMilliseconds: 600_000 };

/** A key stays the same when a master key changes, so remembering it is safe. */
export function openDataKeys(deps: SecretDeps, masterKeys: MasterKeys): DataKeys {
  const known = openCache<DataKey>(LIFETIME);
  const load = async (accountId: AccountId) => {
    const found = await findDataKey(deps.pool, accountId);
    return found === null ? null : unwrap(masterKeys, found);
  };
  const make = async (accountId: AccountId): Promise<DataKey> => {
    if (masterKeys.newest === null)
      throw new SecretUnreadable("master_key_missing", "no master key is set: set BURSAR_MASTER_KEY");
    const fresh = { accountId, id: randomBytes(6).toString("hex"), key: randomBytes(KEY_BYTES) };
    await insertDataKey(deps.pool, wrap(masterKeys.newest, fresh), deps.clock.now());
    return (await load(accountId))!;
  };
  return {
    forSealing: (accountId) => known.get(accountId, async () => (await load(accountId)) ?? make(accountId)),
    forOpening: async (accountId) => {
      try {
        return await known.get(accountId, async () => (await load(accountId)) ?? Promise.reject(NONE));
      } catch (error) {
        if (error === NONE) return null;
        throw error;
      }
    },
  };
}

/** Not remembered: another process may make the key at any moment. */
const NONE = new Error("the account has no data key");

/** A wrapped key belongs to its account and its name. */
const placeOf = (accountId: AccountId, id: string) => JSON.stringify(["data_keys.wrapped", accountId, id]);

export function wrap(master: MasterKey, key: DataKey & { accountId: AccountId }): WrappedKey {
  const { accountId, id } = key;
  const wrapped = encrypt(master.key, key.key, placeOf(accountId, id));
  return { accountId, id, masterKeyId: master.id, wrapped };
}

/** Throws SecretUnreadable, naming the master key that is missing or the account whose key is damaged. */
export function unwrap(masterKeys: MasterKeys, { accountId, id, masterKeyId, wrapped }: WrappedKey): DataKey {
  const master = masterKeys.find(masterKeyId);
  if (master === null) throw masterKeyMissing(masterKeyId);
  const key = decrypt(master.key, wrapped, placeOf(accountId, id));
  if (key === null) throw new SecretUnreadable("damaged", `the data key of ${accountId} was changed`);
  return { id, key };
}
