import type { AccountId, GrantId, HoldId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type { GrantSource } from "./kinds.ts";

/** How much of which grant. */
export type Draw = readonly [grantId: GrantId, amount: MicroCredits];

/** A grant that can still give (`remaining`) or take back (`held`: reserved by open holds). */
export interface OpenGrant {
  readonly id: GrantId;
  readonly source: GrantSource;
  readonly remaining: MicroCredits;
  readonly held: MicroCredits;
  readonly priority: number;
  readonly expiresAt: Instant | null;
  readonly allocatedAt: Instant;
  /** Features it may pay for; null: all. */
  readonly scope: readonly string[] | null;
  /** The ledger has ended it: it stays so for a process whose clock is behind that of the one which did. */
  readonly ended?: true;
}

/** One account as its row says it. Grants are kept in spending order. Micro-credits. */
export interface Account {
  readonly id: AccountId;
  readonly available: MicroCredits;
  readonly held: MicroCredits;
  readonly owed: MicroCredits;
  readonly issued: MicroCredits;
  readonly spent: MicroCredits;
  readonly expired: MicroCredits;
  readonly revoked: MicroCredits;
  readonly frozen: boolean;
  readonly grants: readonly OpenGrant[];
  readonly seq: bigint;
  /** Head of the hash chain, 64 hex digits. */
  readonly hash: string;
  readonly alertBelow: MicroCredits | null;
  /** The threshold of an enabled top-up. */
  readonly topupBelow: MicroCredits | null;
}

/** Which counter a hold counted in, so that its settlement corrects the same window. */
export interface CountedCap {
  readonly id: string;
  readonly windowStart: string;
  /** How much of the hold it counted there. */
  readonly amount: MicroCredits;
  /** Counted by an ancestor: a child of a counted budget counts nothing more. */
  readonly inherited: boolean;
  /** It counted none of the hold but what was added under this cap: by an extension of somebody else's hold. */
  readonly addedOnly?: true | undefined;
}

/** An open hold. `amount` is what it reserves itself: what its open children reserve is theirs. */
export interface Hold {
  readonly id: HoldId;
  readonly parentId: HoldId | null;
  readonly amount: MicroCredits;
  /** The grants it reserves, in spending order; their sum is `amount`. */
  readonly draws: readonly Draw[];
  /** The cost of the work done so far, as its owner last reported it. */
  readonly reported: MicroCredits;
  readonly feature: string | null;
  readonly caps: readonly CountedCap[];
  readonly expiresAt: Instant | null;
  readonly createdAt: Instant;
}

export function net(account: Pick<Account, "available" | "owed">): MicroCredits {
  return account.available - account.owed;
}

const MOST_COUNTED: MicroCredits = 2n ** 63n - 1n;

/** How much more the account's row can count: all its buckets together are what was issued and what is owed. */
export function countable({ issued, owed }: Pick<Account, "issued" | "owed">): MicroCredits {
  return MOST_COUNTED - issued - owed;
}

export function isExpired(grant: Pick<OpenGrant, "expiresAt" | "ended">, now: Instant): boolean {
  return grant.ended === true || (grant.expiresAt !== null && grant.expiresAt <= now);
}

export function isInScope(grant: Pick<OpenGrant, "scope">, feature: string | null): boolean {
  return grant.scope === null || (feature !== null && grant.scope.includes(feature));
}

/** The grants that may pay for this feature now, in spending order; a null feature is work that names none. */
export function payingGrants(account: Account, feature: string | null, now: Instant): OpenGrant[] {
  return account.grants.filter((grant) => !isExpired(grant, now) && isInScope(grant, feature));
}

/** What can be spent now on this feature. */
export function spendable(account: Account, feature: string | null, now: Instant): MicroCredits {
  let sum = 0n;
  for (const grant of account.grants) {
    if (!isExpired(grant, now) && isInScope(grant, feature)) sum += grant.remaining;
  }
  return sum;
}

/** Spending order: priority, then soonest expiry (never is last), then oldest, then id. */
export function compareGrants(a: OpenGrant, b: OpenGrant): number {
  if (a.priority !== b.priority) return a.priority - b.priority;
  const expiryA = a.expiresAt ?? Number.MAX_SAFE_INTEGER;
  const expiryB = b.expiresAt ?? Number.MAX_SAFE_INTEGER;
  if (expiryA !== expiryB) return expiryA - expiryB;
  if (a.allocatedAt !== b.allocatedAt) return a.allocatedAt - b.allocatedAt;
  return a.id < b.id ? -1 : 1;
}

export function sumOfDraws(draws: readonly Draw[]): MicroCredits {
  let sum = 0n;
  for (const draw of draws) sum += draw[1];
  return sum;
}
