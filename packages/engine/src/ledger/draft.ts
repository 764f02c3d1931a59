import type { HoldId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import {
  type Account,
  type CountedCap,
  type Hold,
  isExpired,
  type OpenGrant,
  payingGrants,
  sumOfDraws,
} from "./account.ts";
import { type Book, type Changes, counterName, type Effect, type Group, type Moved } from "./book.ts";
import type { Command, UsageRecord } from "./command.ts";
import { drawFrom } from "./draw.ts";
import { expiryKey, fingerprint, referenceOf } from "./key.ts";
import { applyMovement, type Movement } from "./movement.ts";

/** For the many commands that touch no hold and no counter. */
const NO_HOLDS: Changes["holds"] = new Map();
const NO_COUNTERS: Changes["counters"] = new Map();

/** Filled in once the movement has been applied: a copy a movement would cost as much as applying it. */
const NOT_YET_KNOWN = { availableAfter: 0n, heldAfter: 0n, owedAfter: 0n };

type PartialMovement = Pick<Movement, "kind" | "amount"> & Partial<Movement>;

/** The changes of one command while it is being decided. Lives for that one decision, and touches nothing outside:
 *  a refused command's draft is dropped. */
export class Draft {
  account: Account;
  readonly now: Instant;
  readonly #book: Book;
  readonly #groups: Group[] = [];
  #holds: Map<HoldId, Hold | null> | null = null;
  #counters: Map<string, MicroCredits> | null = null;
  readonly #endedGrants: string[] = [];
  #movements: Moved[] = [];

  constructor(book: Book, now: Instant) {
    this.#book = book;
    this.account = book.account;
    this.now = now;
    this.#expireDue();
  }

  move(partial: PartialMovement): void {
    const {
      kind,
      amount,
      draws = [],
      parentId = null,
      holdAfter = null,
      expiresAt = null,
      grant = null,
    } = partial;
    const movement = { kind, amount, draws, parentId, holdAfter, expiresAt, grant, ...NOT_YET_KNOWN };
    this.account = applyMovement(this.account, movement);
    movement.availableAfter = this.account.available;
    movement.heldAfter = this.account.held;
    movement.owedAfter = this.account.owed;
    this.#movements.push(movement);
  }

  /** For transfers that only happen when there is something to move. */
  moveIfAny(partial: PartialMovement): void {
    if (partial.amount !== 0n) this.move(partial);
  }

  /** Closes the movements so far into the group of the command itself. */
  endGroup(command: Command, key: string, usage?: UsageRecord): void {
    this.#groups.push({
      key,
      fingerprint: fingerprint(command),
      reference: referenceOf(command),
      movements: this.#takeMovements(),
      consequence: false,
      usage: usage ?? null,
    });
  }

  /** Closes the movements so far into a group that time or a parent's end brought about, not the caller. */
  endConsequence(key: string, reference: string): void {
    const movements = this.#takeMovements();
    this.#groups.push({ key, fingerprint: null, reference, movements, consequence: true, usage: null });
  }

  #takeMovements(): readonly Moved[] {
    const movements = this.#movements;
    this.#movements = [];
    return movements;
  }

  hold(id: HoldId): Hold | null | undefined {
    const changed = this.#holds?.get(id);
    return changed === undefined ? this.#book.holds.get(id) : changed;
  }

  /** For holds already known to be open. */
  openHold(id: HoldId): Hold {
    const hold = this.hold(id);
    if (!hold) throw new Error(`hold ${id} is not open`);
    return hold;
  }

  /** The open parent; null for a hold that has none. A parent never closes before its children. */
  parentOf(hold: Hold): Hold | null {
    return hold.parentId === null ? null : this.openHold(hold.parentId);
  }

  putHold(hold: Hold): void {
    this.#holds ??= new Map();
    this.#holds.set(hold.id, hold);
  }

  closeHold(id: HoldId): void {
    this.#holds ??= new Map();
    this.#holds.set(id, null);
  }

  openChildren(parentId: HoldId): Hold[] {
    const children: Hold[] = [];
    // A command opens no child of a hold that it closes: all children are in the book.
    for (const id of this.#book.holds.childrenOf(parentId)) {
      const hold = this.hold(id);
      if (hold) children.push(hold);
    }
    return children.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  countAll(caps: readonly CountedCap[]): void {
    for (const cap of caps) this.count([cap], cap.amount);
  }

  count(caps: readonly Pick<CountedCap, "id" | "windowStart">[], amount: MicroCredits): void {
    if (amount === 0n) return;
    for (const cap of caps) {
      const name = counterName(cap.id, cap.windowStart);
      this.#counters ??= new Map();
      this.#counters.set(name, (this.#counters.get(name) ?? 0n) + amount);
    }
  }

  /** Debt is paid as soon as there are credits that may pay for anything. */
  repay(): void {
    if (this.account.owed === 0n) return;
    const draws = drawFrom(payingGrants(this.account, null, this.now), this.account.owed);
    this.moveIfAny({ kind: "repay", amount: sumOfDraws(draws), draws });
  }

  /** What came back to a grant that has expired meanwhile expires in the same group. */
  expireReturned(): void {
    for (const grant of this.#expiredGrants()) this.#expire(grant);
  }

  /** A grant past its expiry gives nothing more, whoever comes first: the sweep or the next command. */
  #expireDue(): void {
    if (!this.account.grants.some((grant) => isExpired(grant, this.now))) return;
    for (const grant of this.#expiredGrants()) {
      this.#expire(grant);
      this.#endedGrants.push(grant.id);
      this.endConsequence(expiryKey(grant.id), grant.id);
    }
  }

  #expiredGrants(): OpenGrant[] {
    return this.account.grants.filter((grant) => isExpired(grant, this.now) && grant.remaining > 0n);
  }

  #expire(grant: OpenGrant): void {
    this.move({ kind: "expire", amount: grant.remaining, draws: [[grant.id, grant.remaining]] });
  }

  /** Whether this very draft has expired the grant. */
  hasExpired(grantId: string): boolean {
    return this.#endedGrants.includes(grantId);
  }

  changes(): Changes {
    return {
      account: this.account,
      groups: this.#groups,
      holds: this.#holds ?? NO_HOLDS,
      counters: this.#counters ?? NO_COUNTERS,
      endedGrants: this.#endedGrants,
      effects: effectsOf(this.#book.account, this.account, this.#groups),
    };
  }
}

/** What crossing a line asks of the world outside, once a crossing. */
function effectsOf(before: Account, after: Account, groups: readonly Group[]): Effect[] {
  const cause = groups.at(-1)?.key ?? "";
  const effects: Effect[] = [];
  const netBefore = before.available - before.owed;
  const netAfter = after.available - after.owed;
  const crosses = (limit: MicroCredits | null): limit is MicroCredits =>
    limit !== null && netBefore >= limit && netAfter < limit;
  if (crosses(after.alertBelow)) {
    const payload = { net: String(netAfter), alertBelow: String(after.alertBelow) };
    effects.push({ id: `balance_low ${cause}`, kind: "balance_low", payload });
  }
  if (crosses(after.topupBelow)) {
    effects.push({ id: `topup_wanted ${cause}`, kind: "topup_wanted", payload: { net: String(netAfter) } });
  }
  if (before.owed === 0n && after.owed > 0n) {
    effects.push({ id: `debt ${cause}`, kind: "debt_incurred", payload: { owed: String(after.owed) } });
  }
  return effects;
}
