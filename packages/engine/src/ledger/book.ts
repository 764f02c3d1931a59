import type { HoldId } from "@bursar/contract/ids";
import type { MicroCredits } from "@bursar/contract/money";
import type { Account, Hold } from "./account.ts";
import type { Result, UsageRecord } from "./command.ts";
import type { EntryKind } from "./kinds.ts";
import type { Movement } from "./movement.ts";

/** What an idempotency key has already done. */
export interface KnownGroup {
  readonly fingerprint: bigint | null;
  /** Kind of the group's first entry. */
  readonly leader: EntryKind;
  readonly result: Result;
}

/** One account and what the commands of a batch need to know of it: read under the account's lock. */
export interface Book {
  readonly account: Account;
  /** Open holds: those named, their parents and their children. */
  readonly holds: KnownHolds;
  /** How many are open in all. */
  readonly openHolds: number;
  /** Entry groups under the keys that the commands name; null: none. */
  readonly groups: Pick<ReadonlyMap<string, KnownGroup>, "get" | "has"> | null;
  /** Use of the caps that the commands name, by `counterName`. */
  readonly counters: ReadonlyMap<string, MicroCredits>;
}

export interface KnownHolds {
  get(id: HoldId): Hold | undefined;
  childrenOf(id: HoldId): Iterable<HoldId>;
}

/** A movement and the account's buckets after it. */
export interface Moved extends Movement {
  readonly availableAfter: MicroCredits;
  readonly heldAfter: MicroCredits;
  readonly owedAfter: MicroCredits;
}

/** Movements under one idempotency key: they become rows with dense numbers. */
export interface Group {
  /** By name; the column holds its hash. */
  readonly key: string;
  readonly fingerprint: bigint | null;
  readonly reference: string;
  readonly movements: readonly Moved[];
  /** True for what time or a parent's end brought about, not the caller: it carries none of the caller's facts. */
  readonly consequence: boolean;
  readonly usage: UsageRecord | null;
}

export interface Effect {
  readonly id: string;
  readonly kind: "balance_low" | "debt_incurred" | "topup_wanted";
  readonly payload: Readonly<Record<string, string>>;
}

/** Everything that one accepted command changes. */
export interface Changes {
  readonly account: Account;
  readonly groups: readonly Group[];
  /** A hold as it is now, or null when it is closed. */
  readonly holds: ReadonlyMap<HoldId, Hold | null>;
  /** By how much each counter moves. */
  readonly counters: ReadonlyMap<string, MicroCredits>;
  /** Grants whose expiry needs no sweep any more. */
  readonly endedGrants: readonly string[];
  readonly effects: readonly Effect[];
}

/** Counters are per cap and window; ids contain no space. */
export function counterName(capId: string, windowStart: string): string {
  return `${capId} ${windowStart}`;
}
