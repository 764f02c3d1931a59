import { createHash } from "node:crypto";
import { isIPv6 } from "node:net";
import type pg from "pg";
import { RateLimiterPostgres, RateLimiterRes } from "rate-limiter-flexible";
import { findPerson } from "../people/store.ts";

const WINDOW_SECONDS = 15 * 60;

export interface AttemptLimits {
  /** Failures within 15 minutes before a person, or an address, must wait. */
  readonly account: number;
  readonly address: number;
  /** Sign-ups from one address within an hour; 0: any number. */
  readonly signUps: number;
}

export const ATTEMPT_LIMITS: AttemptLimits = { account: 10, address: 100, signUps: 20 };

const SIGN_UP_SECONDS = 3600;

/** Whose attempt it is. */
export interface Attempt {
  /** The username or e-mail that was typed, either of which counts for the person; or what else stands for one. null:
   *  nobody in particular, so that the address alone counts. */
  readonly account: string | null;
  readonly address: string;
}

export type AttemptOutcome<T> = { readonly kind: "attempted"; readonly result: T } | Limited;

export interface Limited {
  readonly kind: "limited";
  readonly retryAfterSeconds: number;
}

/** Limits guessing and sign-ups, across processes and restarts. */
export interface Attempts {
  /** Does the work unless the person or the address has failed too often. Attempts on one person take turns, so that no
   *  number of guesses sent at once gets past the count; a success forgets the person's failures.
   *  Throws: database unreachable, which is a no; whatever the work throws. */
  guard<T>(
    attempt: Attempt,
    work: () => Promise<T>,
    failed: (result: T) => boolean,
  ): Promise<AttemptOutcome<T>>;
  /** Counts a sign-up, however it ends, so that nobody makes themselves many accounts with what newcomers are given, or
   *  tries out who is here. null: go on. Throws: database unreachable, which is a no. */
  limitSignUp(address: string): Promise<Limited | null>;
  /** Counts a code for a device, as many as an address may fail, and apart from that: asking for one is no guess, and
   *  keeps nobody from signing in. null: go on. Throws: database unreachable, which is a no. */
  limitDeviceCode(address: string): Promise<Limited | null>;
}

export function openAttempts(pool: pg.Pool, given: Partial<AttemptLimits> = {}): Attempts {
  const limits = { ...ATTEMPT_LIMITS, ...given };
  /** One count for a person, whichever of their names is tried. */
  const accountOf = async (named: string) =>
    digest((await findPerson(pool, named.trim()))?.id ?? named.trim());
  const limiter = (keyPrefix: string, points: number, duration = WINDOW_SECONDS) =>
    new RateLimiterPostgres({
      storeClient: pool,
      storeType: "pool",
      schemaName: "identity",
      tableName: "attempts",
      tableCreated: true,
      clearExpiredByTimeout: false,
      keyPrefix,
      points,
      duration,
    });
  const byAccount = limiter("account", limits.account);
  const byAddress = limiter("address", limits.address);
  const signUps = limiter("sign-up", limits.signUps, SIGN_UP_SECONDS);
  const deviceCodes = limiter("device-code", limits.address);
  const turns = new Map<string, Promise<unknown>>();

  const perform = async <T>(
    account: string | null,
    address: string,
    work: () => Promise<T>,
    failed: (result: T) => boolean,
  ): Promise<AttemptOutcome<T>> => {
    const counts = await Promise.all([
      account === null ? null : byAccount.get(account),
      byAddress.get(address),
    ]);
    const wait = Math.max(
      isSpent(counts[0], limits.account) ? counts[0].msBeforeNext : 0,
      isSpent(counts[1], limits.address) ? counts[1].msBeforeNext : 0,
    );
    if (wait > 0) return { kind: "limited", retryAfterSeconds: Math.ceil(wait / 1000) };
    const result = await work();
    if (failed(result))
      await Promise.all([account !== null && byAccount.penalty(account), byAddress.penalty(address)]);
    else if (account !== null && counts[0] !== null) await byAccount.delete(account);
    return { kind: "attempted", result };
  };

  return {
    guard: async (attempt, work, failed) => {
      const account = attempt.account === null ? null : await accountOf(attempt.account);
      const address = networkOf(attempt.address);
      const one = account ?? `address ${address}`;
      const before = turns.get(one) ?? Promise.resolve();
      const turn = before.then(() => perform(account, address, work, failed));
      const settled = turn.then(
        () => undefined,
        () => undefined,
      );
      turns.set(one, settled);
      void settled.then(() => {
        if (turns.get(one) === settled) turns.delete(one);
      });
      return turn;
    },
    limitSignUp: (address) => (limits.signUps === 0 ? Promise.resolve(null) : consume(signUps, address)),
    limitDeviceCode: (address) => consume(deviceCodes, address),
  };
}

async function consume(limiter: RateLimiterPostgres, address: string): Promise<Limited | null> {
  try {
    await limiter.consume(networkOf(address));
    return null;
  } catch (error) {
    // The limiter throws how things stand.
    if (!(error instanceof RateLimiterRes)) throw error;
    return { kind: "limited", retryAfterSeconds: Math.ceil(error.msBeforeNext / 1000) };
  }
}

interface Count {
  readonly consumedPoints: number;
  readonly msBeforeNext: number;
}

function isSpent(count: Count | null, limit: number): count is Count {
  return count !== null && count.consumedPoints >= limit;
}

/** Whoever has an IPv6 address has a whole network of them: the first 64 bits are what counts. */
export function networkOf(address: string): string {
  if (!isIPv6(address) || address.includes(".")) return address;
  const [head = "", tail = ""] = address.replace(/%.*$/, "").split("::");
  const groups = head.split(":").filter((group) => group !== "");
  const known = tail.split(":").filter((group) => group !== "").length;
  const filled = [...groups, ...Array<string>(Math.max(0, 8 - groups.length - known)).fill("0")];
  const all = address.includes("::") ? [...filled, ...tail.split(":")] : groups;
  const first = all.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${first.join(":")}::/64`;
}

/** People mistype passwords into the name field: names are kept as hashes. */
function digest(text: string): string {
  return createHash("sha256").update(text.toLowerCase()).digest("hex");
}
