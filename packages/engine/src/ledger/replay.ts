import { type Instant, parsePostgresTimestamp } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import { chainHash, drawsFromText, GENESIS_HASH } from "./entry.ts";
import type { EntryKind } from "./kinds.ts";
import { bucketsAfter } from "./movement.ts";

export interface Problem {
  /** Which of the seven invariants of the ledger (docs/ledger.md). */
  readonly invariant: number;
  readonly accountId: string;
  readonly seq?: string;
  readonly message: string;
}

type Buckets = ReturnType<typeof bucketsAfter>;

interface GrantHistory {
  readonly granted: MicroCredits;
  readonly expiresAt: Instant | null;
  /** Given for good or reserved, less what came back. */
  given: MicroCredits;
}

/** An account as its entries alone tell it. */
export interface Replayed {
  readonly accountId: string;
  readonly buckets: Buckets;
  readonly frozen: boolean;
  readonly seq: bigint;
  readonly hash: string;
}

const EMPTY: Buckets = { issued: 0n, available: 0n, held: 0n, owed: 0n, spent: 0n, expired: 0n, revoked: 0n };

/** Replays one account's entries from the first, and reports what cannot be. Fed with canonical rows (`entry.ts`). */
export class AccountReplay {
  readonly accountId: string;
  readonly #report: (problem: Problem) => void;
  readonly #grants = new Map<string, GrantHistory>();
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
    const columns = row.split("\t");
    this.#checkSeq(BigInt(columns[1]!));
    this.#checkHash(row, hash);
    this.#checkGroup(columns[8]!, Number(columns[10]!));
    this.#move(columns);
  }

  end(): Replayed {
    if (this.#leftInGroup > 0) this.#problem(4, "the last group is not whole");
    const { accountId } = this;
    return { accountId, buckets: this.#buckets, frozen: this.#frozen, seq: this.#seq, hash: this.#hash };
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
  #checkGroup(key: string, size: number): void {
    if (this.#leftInGroup === 0) {
      if (key === "\\N") this.#problem(4, "a group begins without a key");
      this.#leftInGroup = size - 1;
      return;
    }
    if (key !== "\\N") this.#problem(4, "a group begins inside another");
    this.#leftInGroup -= 1;
  }

  #move(columns: readonly string[]): void {
    const kind = columns[2] as EntryKind;
    const amount = BigInt(columns[3]!);
    const draws = columns[4] === "\\N" ? [] : drawsFromText(columns[4]!);
    const parentId = columns[6] === "\\N" ? null : columns[6]!;
    if (kind === "freeze" || kind === "unfreeze") this.#frozen = kind === "freeze";
    this.#buckets = bucketsAfter(this.#buckets, { kind, amount, draws, parentId });
    this.#checkBuckets(columns);
    this.#checkGrants(kind, amount, draws, parentId, columns);
  }

  #checkBuckets(columns: readonly string[]): void {
    const { issued, available, held, owed, spent, expired, revoked } = this.#buckets;
    const [availableAfter, heldAfter, owedAfter] = [columns[16]!, columns[17]!, columns[18]!];
    if (String(available) !== availableAfter || String(held) !== heldAfter || String(owed) !== owedAfter) {
      const expected = `${available}, ${held}, ${owed}`;
      this.#problem(
        3,
        `the balances are ${availableAfter}, ${heldAfter}, ${owedAfter} and should be ${expected}`,
      );
    }
    if (available < 0n || held < 0n || owed < 0n) this.#problem(2, "a bucket is negative");
    if (issued !== available + held + spent + expired + revoked - owed)
      this.#problem(1, "credits appeared or vanished");
  }

  #checkGrants(
    kind: EntryKind,
    amount: MicroCredits,
    draws: ReturnType<typeof drawsFromText>,
    parentId: string | null,
    columns: readonly string[],
  ): void {
    const arrives = kind === "grant" || (kind === "adjust" && amount > 0n);
    if (arrives) {
      const expiresAt = columns[19] === "\\N" ? null : parsePostgresTimestamp(columns[19]!);
      for (const [id, granted] of draws) this.#grants.set(id, { granted, expiresAt, given: 0n });
      return;
    }
    const effect = EFFECTS[kind];
    const isBetweenHolds = parentId !== null && kind !== "settle";
    if (effect === undefined || isBetweenHolds) return;
    for (const [id, part] of draws) this.#give(id, effect === "return" ? -part : part, kind, columns[20]!);
  }

  #give(grantId: string, amount: MicroCredits, kind: EntryKind, at: string): void {
    const grant = this.#grants.get(grantId);
    if (grant === undefined) {
      this.#problem(5, `grant ${grantId} gives, and never arrived`);
      return;
    }
    grant.given += amount;
    if (grant.given > grant.granted) this.#problem(5, `grant ${grantId} gives more than it was granted`);
    if (grant.given < 0n) this.#problem(5, `grant ${grantId} takes back more than it gave`);
    const isLate =
      GIVES_IN_TIME.has(kind) && grant.expiresAt !== null && parsePostgresTimestamp(at) >= grant.expiresAt;
    if (isLate) this.#problem(5, `grant ${grantId} gives after its expiry`);
  }
}

/** Which kinds use a grant, and which give back to it. What a settlement uses was given by its hold. */
const EFFECTS: Partial<Record<EntryKind, "use" | "return">> = {
  repay: "use",
  hold: "use",
  extend: "use",
  spend: "use",
  expire: "use",
  revoke: "use",
  adjust: "use",
  release: "return",
};

const GIVES_IN_TIME: ReadonlySet<EntryKind> = new Set(["repay", "hold", "extend", "spend"]);
