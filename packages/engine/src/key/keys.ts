import { type AccountId, type KeyId, newKeyId } from "@bursar/contract/ids";
import { addSeconds, formatInstant, type Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type { Deps } from "../deps.ts";
import type { Cap } from "../ledger/command.ts";
import type { Principal } from "./principal.ts";
import { hashOf, newSecret, prefixOf } from "./secret.ts";
import {
  findKeyByHash,
  findPrefix,
  insertKey,
  type KeyRecord,
  type ListedKey,
  listKeys,
  markAllRevoked,
  markRevoked,
  touchKeys,
} from "./store.ts";

export type AuthenticateOutcome =
  | { readonly kind: "authenticated"; readonly principal: Principal }
  | { readonly kind: "unauthenticated" }
  | { readonly kind: "key_revoked" }
  | { readonly kind: "key_expired" };

export interface CreateKeyRequest {
  /** null makes an admin key. */
  readonly accountId: AccountId | null;
  readonly name?: string | undefined;
  readonly capAmount?: MicroCredits | undefined;
  readonly capWindow?: Cap["window"] | undefined;
  readonly expiresAt?: Instant | undefined;
  readonly by: string;
  /** Only for keys that must survive a restart, as in the sandbox. */
  readonly secret?: string | undefined;
  /** Of these requests for the account only the first makes a key. */
  readonly idempotencyKey?: string | undefined;
}

export type CreateKeyOutcome =
  | { readonly kind: "created"; readonly id: KeyId; readonly key: string; readonly prefix: string }
  /** An admin key that was given, as by the environment, and that is there already. */
  | { readonly kind: "secret_known" }
  /** The same idempotency key has made this one, whose secret is nowhere any more. */
  | { readonly kind: "key_exists"; readonly id: KeyId; readonly prefix: string }
  | { readonly kind: "account_unknown"; readonly accountId: AccountId };

export type RevokeKeyOutcome =
  /** Whose it was; null for an admin key. */
  | { readonly kind: "revoked"; readonly at: Instant; readonly accountId: AccountId | null }
  | { readonly kind: "key_unknown"; readonly id: KeyId };

export interface Keys {
  create(request: CreateKeyRequest): Promise<CreateKeyOutcome>;
  /** Exact: asks the database. Throws when it cannot be asked. */
  authenticate(secret: string): Promise<AuthenticateOutcome>;
  /** May answer from a few seconds ago: for callers whose next step is a ledger command that names the key, because
   *  the ledger refuses an ended key itself. */
  recognise(secret: string): Promise<AuthenticateOutcome>;
  revoke(id: KeyId): Promise<RevokeKeyOutcome>;
  /** All of an account, as when nobody owns it any more. */
  revokeAll(accountId: AccountId): Promise<void>;
  list(accountId: AccountId | null): Promise<ListedKey[]>;
  close(): Promise<void>;
}

const TOUCH_MILLISECONDS = 5_000;

const RECOGNISED_LIMIT = 10_000;
const RECOGNISED_SECONDS = 5;

interface Recognised {
  readonly outcome: AuthenticateOutcome;
  readonly until: Instant;
}

/** API keys: found by the hash of the secret in one indexed read. */
export function openKeys(deps: Pick<Deps, "pool" | "clock" | "log">): Keys {
  const { pool, clock, log } = deps;
  let used = new Map<KeyId, Instant>();
  const touch = async () => {
    if (used.size === 0) return;
    const batch = used;
    used = new Map();
    await touchKeys(pool, batch).catch((error: unknown) =>
      log.warn({ err: error }, "last use of keys not noted"),
    );
  };
  const timer = setInterval(() => void touch(), TOUCH_MILLISECONDS).unref();

  const recognised = new Map<string, Recognised>();
  const authenticate = async (secret: string): Promise<AuthenticateOutcome> => {
    const hash = hashOf(secret);
    const now = clock.now();
    const key = await findKeyByHash(pool, hash);
    const outcome = judge(key, now);
    if (key === null || outcome.kind !== "authenticated") {
      recognised.delete(hash);
      return outcome;
    }
    used.set(key.id, now);
    // What administrators do, no ledger command under their key judges again.
    if (outcome.principal.kind === "admin") return outcome;
    if (recognised.size >= RECOGNISED_LIMIT) recognised.clear();
    recognised.set(hash, { outcome, until: addSeconds(now, RECOGNISED_SECONDS) });
    return outcome;
  };

  return {
    authenticate,
    recognise: async (secret) => {
      const known = recognised.get(hashOf(secret));
      const now = clock.now();
      const isFresh =
        known !== undefined && now < known.until && addSeconds(now, RECOGNISED_SECONDS) >= known.until;
      return isFresh ? known.outcome : authenticate(secret);
    },
    create: async (request) => {
      const secret = request.secret ?? newSecret(request.accountId === null ? "admin" : "account");
      const id = keyIdFor(request);
      const prefix = prefixOf(secret);
      const isNew = await insertKey(pool, {
        id,
        prefix,
        accountId: request.accountId,
        name: request.name ?? "",
        secretHash: hashOf(secret),
        capAmount: request.capAmount ?? null,
        capWindow: request.capWindow ?? "total",
        expiresAt: request.expiresAt ?? null,
        createdAt: clock.now(),
        by: request.by,
      });
      if (isNew) return { kind: "created", id, key: secret, prefix };
      const existing = await findPrefix(pool, id);
      if (existing !== null) return { kind: "key_exists", id, prefix: existing };
      if (request.accountId === null) return { kind: "secret_known" };
      return { kind: "account_unknown", accountId: request.accountId };
    },
    revoke: async (id) => {
      const revoked = await markRevoked(pool, id, clock.now());
      recognised.clear();
      return revoked === null ? { kind: "key_unknown", id } : { kind: "revoked", ...revoked };
    },
    revokeAll: async (accountId) => {
      await markAllRevoked(pool, accountId, clock.now());
      recognised.clear();
    },
    list: (accountId) => {
      const today = formatInstant(clock.now());
      return listKeys(pool, accountId, { total: "total", day: today.slice(0, 10), month: today.slice(0, 7) });
    },
    close: async () => {
      clearInterval(timer);
      await touch();
    },
  };
}

/** The primary key sees to it that one request makes one key: there is nothing else to look up or to write. */
function keyIdFor({ accountId, idempotencyKey }: CreateKeyRequest): KeyId {
  if (idempotencyKey === undefined) return newKeyId();
  return `key_${hashOf(`${accountId ?? ""} ${idempotencyKey}`).slice(0, 32)}` as KeyId;
}

function judge(key: KeyRecord | null, now: Instant): AuthenticateOutcome {
  if (key === null) return { kind: "unauthenticated" };
  if (key.revokedAt !== null) return { kind: "key_revoked" };
  if (key.expiresAt !== null && key.expiresAt <= now) return { kind: "key_expired" };
  const { id: keyId, accountId, capAmount, capWindow } = key;
  const kind = accountId === null ? "admin" : "account";
  const caps = capAmount === null ? [] : [{ id: keyId, limit: capAmount, window: capWindow }];
  return { kind: "authenticated", principal: { kind, keyId, accountId, caps, by: `${kind}:${keyId}` } };
}
