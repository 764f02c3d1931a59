import type { AccountId } from "@bursar/contract/ids";
import { type CacheSettings, openCache } from "./cache.ts";
import { type DataKey, openDataKeys, type SecretDeps } from "./data-keys.ts";
import { decrypt, encrypt } from "./envelope.ts";
import type { MasterKeys } from "./master-keys.ts";
import { type Rotation, rotateDataKeys } from "./rotate.ts";
import { deleteField, findField, upsertField } from "./store.ts";
import { countByMasterKey, type MasterKeyUse } from "./store-rotate.ts";
import { SecretUnreadable } from "./unreadable.ts";

/** `table.column`. */
export type FieldName = `${string}.${string}`;

/** Fields that are encrypted at rest, each account's under a key of its own. */
export interface Secrets {
  /** For a column of the caller's own. Asks the database for the account's key, so call it before a transaction begins.
   *  Throws SecretUnreadable; database unreachable. */
  seal(accountId: AccountId, field: FieldName, text: string): Promise<string>;
  /** What was sealed for this account and field, and for no other. Asks the cache first, and decrypts only on a miss: a
   *  sealed text always says the same, so what is remembered is never stale. Throws SecretUnreadable; database unreachable. */
  open(accountId: AccountId, field: FieldName, sealed: string): Promise<string>;
  /** A value that `write` keeps; null when there is none. Asks the cache first, and decrypts only on a miss. What
   *  another process wrote may be unseen for half a minute: never decide about money by it alone. */
  read(accountId: AccountId, field: FieldName): Promise<string | null>;
  /** Into the cache, then encrypted into the database; null removes it. If that fails, the cache forgets it again. */
  write(accountId: AccountId, field: FieldName, text: string | null): Promise<void>;
  /** How often `read` and `open` have found their answer in the cache. */
  counts(): { readonly hits: number; readonly misses: number };
  /** Wraps data keys under the newest master key. See `rotateDataKeys`. */
  rotate(): Promise<Rotation>;
  /** Master keys that the database needs and that are not set. */
  missingMasterKeys(): Promise<readonly MasterKeyUse[]>;
}

const FIELDS: CacheSettings = { limit: 10_000, lifetimeMilliseconds: 30_000 };

export function openSecrets(
  deps: SecretDeps,
  masterKeys: MasterKeys,
  cacheSettings: Partial<CacheSettings> = {},
): Secrets {
  const { pool, clock } = deps;
  const dataKeys = openDataKeys(deps, masterKeys);
  const fields = openCache<string | null>({ ...FIELDS, ...cacheSettings });
  const opened = openCache<string>({ ...FIELDS, ...cacheSettings });

  const encryptFor = async (accountId: AccountId, field: FieldName, text: string) =>
    sealWith(await dataKeys.forSealing(accountId), placeOf(accountId, field), text);
  const decryptFor = async (accountId: AccountId, field: FieldName, sealed: string) =>
    openWith(await dataKeys.forOpening(accountId), placeOf(accountId, field), sealed);
  const nameOf = (accountId: AccountId, field: FieldName, sealed: string) =>
    `${placeOf(accountId, field)} ${sealed}`;

  return {
    seal: async (accountId, field, text) => {
      const sealed = await encryptFor(accountId, field, text);
      await opened.during(nameOf(accountId, field, sealed), text, () => Promise.resolve());
      return sealed;
    },
    open: (accountId, field, sealed) =>
      opened.get(nameOf(accountId, field, sealed), () => decryptFor(accountId, field, sealed)),
    read: (accountId, field) =>
      fields.get(placeOf(accountId, field), async () => {
        const sealed = await findField(pool, accountId, field);
        return sealed === null ? null : decryptFor(accountId, field, sealed);
      }),
    write: (accountId, field, text) =>
      fields.during(placeOf(accountId, field), text, async () => {
        if (text === null) return deleteField(pool, accountId, field);
        const sealed = await encryptFor(accountId, field, text);
        await upsertField(pool, { accountId, field, sealed, now: clock.now() });
      }),
    counts: () => {
      const [kept, given] = [fields.counts(), opened.counts()];
      return { hits: kept.hits + given.hits, misses: kept.misses + given.misses };
    },
    rotate: () => rotateDataKeys(deps, masterKeys),
    missingMasterKeys: async () => {
      const used = await countByMasterKey(pool);
      return used.filter(({ masterKeyId }) => masterKeys.find(masterKeyId) === null);
    },
  };
}

const placeOf = (accountId: AccountId, field: FieldName) => JSON.stringify([field, accountId]);

/** The first word is the format, the second names the data key. */
const SEALED = /^aes1\.([0-9a-f]{12})\.([\w-]+)$/;

function sealWith({ id, key }: DataKey, place: string, text: string): string {
  return `aes1.${id}.${encrypt(key, Buffer.from(text), place).toString("base64url")}`;
}

function openWith(dataKey: DataKey | null, place: string, sealed: string): string {
  const [, keyId, body] = SEALED.exec(sealed) ?? [];
  if (keyId === undefined || body === undefined)
    throw new SecretUnreadable("damaged", `${place}: is no encrypted value`);
  if (dataKey?.id !== keyId)
    throw new SecretUnreadable("data_key_unknown", `${place}: the account has no data key ${keyId}`);
  const text = decrypt(dataKey.key, Buffer.from(body, "base64url"), place);
  if (text === null) throw new SecretUnreadable("damaged", `${place}: was changed, or moved from elsewhere`);
  return text.toString("utf8");
}
