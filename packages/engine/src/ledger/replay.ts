import { chainHash, GENESIS_HASH, type ReadEntry, readRow } from "./entry.ts";
import { bucketsAfter } from "./movement.ts";
import { GrantReplay } from "./replay-grants.ts";
import { HoldReplay } from "./replay-holds.ts";

export interface Problem {
  /** Which of the seven invariants of the ledger (docs/ledger.md). */
  readonly invariant: number;
  readonly accountId: string;
  readonly seq?: string;
  readonly message: string;
}

type Buckets = ReturnType<typeof bucketsAfter>;

/** An account as its entries alone tell it. */
export interface Replayed {
  readonly accountId: string;
  readonly buckets: Buckets;
  readonly frozen: boolean;
  readonly seq: bigint;
  readonly hash: string;
  /** As the row's grants column must say. */
  readonly openGrants: string;
  /** As the grants and holds tables must say, one line a row. */
  readonly arrivals: readonly string[];
  readonly holds: readonly string[];
}

const EMPTY: Buckets = { issued: 0n, available: 0n, held: 0n, owed: 0n, spent: 0n, expired: 0n, revoked: 0n };

/** Replays one account's entries from the first, and reports what cannot be. Fed with canonical rows (`entry.ts`). */
export class AccountReplay {
  readonly accountId: string;
  readonly #report: (problem: Problem) => void;
  readonly #grants = new GrantReplay((message) => this.#problem(5, message));
  readonly #holds = new HoldReplay((message) => this.#problem(3, message));
  #buckets: Buckets = EMPTY;
  #frozen = false;
  #seq = 0n;
  #hash = GENESIS_HASH;
  #leftInGroup = 0;

  constructor(accountId: string, report: (problem: Problem) => void) {
    this.accountId = accountId;
    this.#report = report;
  }

  /** `row` is the canonical row as it was hashed, `hash` what is stored. */
  add(row: string, hash: string): void {
    const entry = readRow(row);
    this.#checkSeq(entry.seq);
    this.#checkHash(row, hash);
    this.#checkGroup(entry);
    if (entry.kind === "freeze" || entry.kind === "unfreeze") this.#frozen = entry.kind === "freeze";
    this.#buckets = bucketsAfter(this.#buckets, entry);
    this.#checkBuckets(entry.balancesAfter);
    this.#grants.add(entry);
    this.#holds.add(entry);
  }

  end(): Replayed {
    if (this.#leftInGroup > 0) this.#problem(4, "the last group is not whole");
    return {
      accountId: this.accountId,
      buckets: this.#buckets,
      frozen: this.#frozen,
      seq: this.#seq,
      hash: this.#hash,
      openGrants: this.#grants.openGrants(),
      arrivals: this.#grants.arrivals(),
      holds: this.#holds.lines(),
    };
  }

  #problem(invariant: number, message: string): void {
    this.#report({ invariant, accountId: this.accountId, seq: String(this.#seq), message });
  }

  #checkSeq(seq: bigint): void {
    const expected = this.#seq + 1n;
    this.#seq = seq;
    if (seq !== expected) this.#problem(3, `entry ${seq} follows ${expected - 1n}`);
  }

  #checkHash(row: string, hash: string): void {
    const expected = chainHash(this.#hash, row);
    this.#hash = hash;
    if (hash !== expected) this.#problem(3, `the hash is ${hash} and should be ${expected}`);
  }

  /** Only the first row of a group has a key; the unique index keeps each key to one group. */
  #checkGroup({ key, groupSize }: ReadEntry): void {
    if (this.#leftInGroup === 0) {
      if (key === null) this.#problem(4, "a group begins without a key");
      this.#leftInGroup = groupSize - 1;
      return;
    }
    if (key !== null) this.#problem(4, "a group begins inside another");
    this.#leftInGroup -= 1;
  }

  #checkBuckets(balancesAfter: string): void {
    const { issued, available, held, owed, spent, expired, revoked } = this.#buckets;
    const expected = `${available} ${held} ${owed}`;
    if (expected !== balancesAfter)
      this.#problem(3, `the balances are ${balancesAfter} and should be ${expected}`);
    if (available < 0n || held < 0n || owed < 0n) this.#problem(2, "a bucket is negative");
    const whereabouts = available + held + spent + expired + revoked - owed;
    if (issued !== whereabouts) this.#problem(1, "credits appeared or vanished");
  }
}
