import { addSeconds, type Instant, MICROSECONDS_PER_SECOND } from "@bursar/contract/instant";
import type { Deps } from "@bursar/engine/deps";
import {
  type CryptoKey,
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
} from "jose";
import { decrypt, deriveKey, encrypt } from "../secret.ts";
import { deleteSigningKeys, insertSigningKey, listSigningKeys, type StoredKey } from "./store-keys.ts";

export interface SigningKeys {
  /** The key that signs now. Made when there is none, or when the newest is old or cannot be read. */
  signer(): Promise<{ kid: string; key: CryptoKey }>;
  /** The public key of this id; null when no token of it can be good any more. */
  verifier(kid: string): Promise<CryptoKey | null>;
  /** Public keys as RFC 7517 writes them. */
  jwks(): Promise<{ keys: JWK[] }>;
  /** A new key signs from now on; the others are published until their tokens have expired. */
  rotate(): Promise<{ kid: string }>;
}

const DAY_SECONDS = 86_400;
const ROTATE_AFTER_SECONDS = 90 * DAY_SECONDS;
/** Other processes go on signing with the older key until they look again, and those tokens live 15 minutes. */
const PUBLISHED_SECONDS = DAY_SECONDS;
const LOOK_AGAIN_SECONDS = 60;
/** An unknown key id may be a new key of another process; nobody can make us ask the database more often than this. */
const UNKNOWN_SECONDS = 2;

interface Loaded {
  readonly at: Instant;
  readonly signer: { readonly kid: string; readonly key: CryptoKey };
  readonly verifiers: ReadonlyMap<string, CryptoKey>;
  readonly jwks: { keys: JWK[] };
}

/** Ed25519 keys, shared by all processes through the database. */
export function openSigningKeys(deps: Pick<Deps, "pool" | "clock">, secret: string): SigningKeys {
  const key = deriveKey(secret, "signing-keys");
  let loading: Promise<Loaded> | null = null;
  let loaded: Loaded | null = null;
  const load = () => {
    loading ??= loadKeys(deps, key).finally(() => {
      loading = null;
    });
    return loading.then((keys) => {
      loaded = keys;
      return keys;
    });
  };
  const current = async (maximumAgeSeconds: number) => {
    if (loaded === null) return load();
    const age = deps.clock.now() - loaded.at;
    // Time goes back where a clock that was ahead is set right.
    return age >= 0 && age < maximumAgeSeconds * MICROSECONDS_PER_SECOND ? loaded : load();
  };
  return {
    signer: async () => (await current(LOOK_AGAIN_SECONDS)).signer,
    jwks: async () => (await current(LOOK_AGAIN_SECONDS)).jwks,
    verifier: async (kid) => {
      const known = loaded?.verifiers.get(kid);
      if (known !== undefined) return known;
      return (await current(UNKNOWN_SECONDS)).verifiers.get(kid) ?? null;
    },
    rotate: async () => {
      const { kid } = await makeKey(deps, key);
      await load();
      return { kid };
    },
  };
}

async function loadKeys(deps: Pick<Deps, "pool" | "clock">, secretKey: Buffer): Promise<Loaded> {
  const now = deps.clock.now();
  const stored = await listSigningKeys(deps.pool);
  const isPublished = (_: StoredKey, index: number) => {
    const successor = stored[index - 1];
    return successor === undefined || now < addSeconds(successor.createdAt, PUBLISHED_SECONDS);
  };
  const published = stored.filter(isPublished);
  const gone = stored.filter((stored) => !published.includes(stored)).map(({ kid }) => kid);
  if (gone.length > 0) await deleteSigningKeys(deps.pool, gone);
  const newest = published[0];
  const isUsable =
    newest !== undefined &&
    now < addSeconds(newest.createdAt, ROTATE_AFTER_SECONDS) &&
    decrypt(secretKey, newest.privateKey) !== null;
  const signing = isUsable ? newest : await makeKey(deps, secretKey);
  return readKeys(now, isUsable ? published : [signing, ...published], secretKey);
}

async function readKeys(now: Instant, keys: readonly StoredKey[], secretKey: Buffer): Promise<Loaded> {
  const signing = keys[0]!;
  const privateKey = JSON.parse(decrypt(secretKey, signing.privateKey)!) as JWK;
  const verifiers = new Map<string, CryptoKey>();
  for (const { kid, publicKey } of keys) {
    verifiers.set(kid, (await importJWK(publicKey, "EdDSA")) as CryptoKey);
  }
  const signer = { kid: signing.kid, key: (await importJWK(privateKey, "EdDSA")) as CryptoKey };
  return { at: now, signer, verifiers, jwks: { keys: keys.map(({ publicKey }) => publicKey) } };
}

async function makeKey(deps: Pick<Deps, "pool" | "clock">, secretKey: Buffer): Promise<StoredKey> {
  const pair = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  const [publicKey, privateKey] = await Promise.all([exportJWK(pair.publicKey), exportJWK(pair.privateKey)]);
  const kid = await calculateJwkThumbprint(publicKey);
  const stored = {
    kid,
    publicKey: { ...publicKey, kid, alg: "EdDSA", use: "sig" },
    privateKey: encrypt(secretKey, JSON.stringify(privateKey)),
    createdAt: deps.clock.now(),
  };
  return { ...stored, createdAt: await insertSigningKey(deps.pool, stored) };
}
