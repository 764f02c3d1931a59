/** The ledger's meaning (docs/ledger.md) in the simplest possible way: arrays, loops and sums over everything, nothing
 *  clever and nothing shared with the implementation. Slow, and meant to be read. */
import type { Command, Outcome, Result } from "../src/ledger/command.ts";

type Refusal = Exclude<Outcome, { kind: "done" | "duplicate" }>;

export interface ModelGrant {
  readonly id: string;
  readonly priority: number;
  readonly expiresAt: number | null;
  readonly allocatedAt: number;
  readonly scope: readonly string[] | null;
  readonly granted: bigint;
  remaining: bigint;
  /** Once it has expired it has, also where the next clock is behind. */
  ended: boolean;
}

export interface ModelHold {
  readonly id: string;
  readonly parentId: string | null;
  /** How much of which grant. */
  readonly parts: Map<string, bigint>;
  readonly feature: string | null;
  /** What it counted in which windows, oldest first. */
  readonly counts: Count[];
  reported: bigint;
  expiresAt: number | null;
  open: boolean;
}

interface ModelEntry {
  readonly kind: string;
  readonly amount: bigint;
  readonly seq: bigint;
  readonly available: bigint;
  readonly held: bigint;
  readonly owed: bigint;
  readonly holdAmount: bigint | null;
  readonly expiresAt: number | null;
}

/** What a key has done. `body` is null for what nobody asked for: an expiry, or the end of a parent. */
interface Done {
  readonly body: string | null;
  readonly leader: string;
  readonly result: Result;
}

interface Count {
  readonly id: string;
  readonly window: string;
  amount: bigint;
  /** Counted by an ancestor already. */
  readonly inherited: boolean;
  /** Named by who extended the hold and not by who opened it: counts what was added, and nothing else. */
  readonly added: boolean;
}

interface State {
  seq: bigint;
  frozen: boolean;
  owed: bigint;
  grants: ModelGrant[];
  holds: ModelHold[];
  used: Map<string, bigint>;
  revoked: Map<string, bigint>;
}

const MAX = 1_000_000_000_000_000n;

class Refused extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.kind);
    this.refusal = refusal;
  }
}

const refuse = (refusal: unknown): never => {
  throw new Refused(refusal as Refusal);
};

export class ModelAccount {
  state: State = {
    seq: 0n,
    frozen: false,
    owed: 0n,
    grants: [],
    holds: [],
    used: new Map(),
    revoked: new Map(),
  };
  readonly #done = new Map<string, Done>();
  #now = 0;
  #entries: ModelEntry[] = [];
  #newlyDone: [key: string, done: Done][] = [];

  submit(command: Command, now: number): Outcome {
    const outcome = this.#submit(command, now);
    if (command.kind !== "hold" || (outcome.kind !== "done" && outcome.kind !== "duplicate")) return outcome;
    const isOpen = this.state.holds.some(({ id, open }) => id === command.id && open);
    return { ...outcome, usable: (isOpen ? outcome.result.amount : 0n) + this.#usableBeside(command) };
  }

  #submit(command: Command, now: number): Outcome {
    const before = structuredClone(this.state);
    this.#now = now;
    this.#entries = [];
    this.#newlyDone = [];
    try {
      const outcome = this.#decide(command);
      for (const [key, done] of this.#newlyDone) this.#done.set(key, done);
      return outcome;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.state = before;
      return error.refusal;
    }
  }

  available(): bigint {
    return sum(this.state.grants.map((grant) => grant.remaining));
  }

  held(): bigint {
    return sum(this.state.holds.map(size));
  }

  heldOf(grantId: string): bigint {
    return sum(this.state.holds.map((hold) => hold.parts.get(grantId) ?? 0n));
  }

  spendable(feature: string | null): bigint {
    return sum(this.#paying(feature).map((grant) => grant.remaining));
  }

  /** Priority, then soonest expiry (never is last), then oldest, then id. */
  inSpendingOrder(): ModelGrant[] {
    const never = Number.POSITIVE_INFINITY;
    return [...this.state.grants].sort((a, b) => {
      if (a.priority !== b.priority) return a.priority - b.priority;
      const [endA, endB] = [a.expiresAt ?? never, b.expiresAt ?? never];
      if (endA !== endB) return endA < endB ? -1 : 1;
      if (a.allocatedAt !== b.allocatedAt) return a.allocatedAt - b.allocatedAt;
      return a.id < b.id ? -1 : 1;
    });
  }

  #decide(command: Command): Outcome {
    this.#checkRange(command);
    const repeated = this.#repetition(command);
    if (repeated !== null) return { kind: "duplicate", result: repeated };
    this.#checkNamedHoldIsNotClosed(command);
    for (const grant of this.inSpendingOrder()) {
      if (!this.#isOver(grant) || grant.remaining === 0n) continue;
      this.#expire(grant);
      this.#endGroup(`expire ${grant.id}`, null);
    }
    return { kind: "done", result: this.#do(command) };
  }

  #do(command: Command): Result {
    switch (command.kind) {
      case "grant":
        this.#arrive("grant", command.amount, command);
        break;
      case "spend":
        this.#spend(command);
        break;
      case "hold":
        this.#hold(command);
        break;
      case "extend":
        this.#extend(command);
        break;
      case "settle":
      case "release": {
        const hold = this.#openHold(command.holdId);
        this.#closeChildren(hold);
        this.#close(hold, command.kind === "settle" ? command.amount : null);
        break;
      }
      case "expire":
        if (command.holdId === undefined) return this.#expiryOf(command.grantId!);
        this.#expireHold(command.holdId);
        break;
      case "revoke":
        this.#revoke(command);
        break;
      case "adjust":
        this.#adjust(command);
        break;
      case "freeze":
      case "unfreeze":
        this.state.frozen = command.kind === "freeze";
        this.#entry(command.kind, 0n);
    }
    return this.#endGroup(keyOf(command), bodyOf(command));
  }

  #checkRange(command: Command): void {
    if (!("amount" in command)) return;
    const { amount, kind } = command;
    const mustBePositive = kind === "grant" || kind === "revoke";
    const tooSmall = kind === "adjust" ? amount < -MAX || amount === 0n : amount < (mustBePositive ? 1n : 0n);
    if (tooSmall || amount > MAX) refuse({ kind: "amount_out_of_range", amount });
  }

  #repetition(command: Command): Result | null {
    const done = this.#done.get(keyOf(command));
    if (done === undefined) return null;
    if (closes(command)) {
      const isRepeated =
        command.kind === "expire" ? done.body === bodyOf(command) : done.leader === command.kind;
      if (!isRepeated) refuse({ kind: "hold_closed", holdId: command.holdId });
      return done.result;
    }
    if (done.body === null || done.body === bodyOf(command)) return done.result;
    return refuse({ kind: "key_conflict", key: keyOf(command) });
  }

  #checkNamedHoldIsNotClosed(command: Command): void {
    const holdId =
      command.kind === "extend" ? command.holdId : command.kind === "hold" ? command.parentId : undefined;
    const hold = this.state.holds.find((candidate) => candidate.id === holdId);
    if (hold !== undefined && !hold.open) refuse({ kind: "hold_closed", holdId });
  }

  #openHold(holdId: string): ModelHold {
    const hold = this.state.holds.find((candidate) => candidate.id === holdId && candidate.open);
    return hold ?? refuse({ kind: "hold_unknown", holdId });
  }

  #parentOf(hold: ModelHold): ModelHold | null {
    return this.state.holds.find((candidate) => candidate.id === hold.parentId) ?? null;
  }

  #isOver(grant: ModelGrant): boolean {
    return grant.ended || (grant.expiresAt !== null && this.#now >= grant.expiresAt);
  }

  #paying(feature: string | null): ModelGrant[] {
    return this.inSpendingOrder().filter((grant) => !this.#isOver(grant) && mayPay(grant.scope, feature));
  }

  /** Takes up to `amount` from these grants, and says how much of which. */
  #takeFrom(grants: ModelGrant[], amount: bigint): Map<string, bigint> {
    const parts = new Map<string, bigint>();
    for (const grant of grants) {
      const part = min(grant.remaining, amount - sum([...parts.values()]));
      grant.remaining -= part;
      if (part > 0n) parts.set(grant.id, part);
    }
    return parts;
  }

  /** Takes up to `amount` from a hold's parts, in spending order. */
  #takeFromHold(hold: ModelHold, amount: bigint, feature?: string | null): Map<string, bigint> {
    const parts = new Map<string, bigint>();
    for (const { id, scope } of this.inSpendingOrder()) {
      if (feature !== undefined && !mayPay(scope, feature)) continue;
      const part = min(hold.parts.get(id) ?? 0n, amount - sum([...parts.values()]));
      if (part === 0n) continue;
      add(hold.parts, id, -part);
      parts.set(id, part);
    }
    return parts;
  }

  /** What of a hold may pay for this feature. */
  #inScope(hold: ModelHold, feature: string | null): bigint {
    const usable = this.state.grants.filter(({ scope }) => mayPay(scope, feature));
    return sum(usable.map(({ id }) => hold.parts.get(id) ?? 0n));
  }

  #expire(grant: ModelGrant): void {
    const amount = grant.remaining;
    grant.remaining = 0n;
    grant.ended = true;
    this.#entry("expire", amount);
  }

  #arrive(
    kind: "grant" | "adjust",
    amount: bigint,
    facts: { id: string; priority: number; expiresAt: number | null; scope: readonly string[] | null },
  ): void {
    const { id, priority, expiresAt, scope } = facts;
    const grant = {
      id,
      priority,
      expiresAt,
      scope,
      granted: amount,
      remaining: amount,
      allocatedAt: this.#now,
      ended: false,
    };
    this.state.grants.push(grant);
    this.#entry(kind, amount, null, expiresAt);
    if (this.#isOver(grant)) this.#expire(grant);
    const repaid = min(this.state.owed, grant.remaining);
    grant.remaining -= repaid;
    this.state.owed -= repaid;
    if (repaid > 0n) this.#entry("repay", repaid);
  }

  #checkUse(): void {
    if (this.state.frozen) refuse({ kind: "account_frozen" });
    if (this.state.owed > 0n) refuse({ kind: "in_debt", owed: this.state.owed });
  }

  #checkCaps(caps: readonly Cap[], amount: bigint): void {
    for (const cap of caps) {
      const used = this.state.used.get(`${cap.id} ${this.#window(cap)}`) ?? 0n;
      if (used + amount > cap.limit) refuse({ kind: "cap_exceeded", cap, used });
    }
  }

  #checkCovered(amount: bigint, feature: string | null): void {
    const available = this.spendable(feature);
    if (available < amount) refuse({ kind: "insufficient_credits", available, missing: amount - available });
  }

  /** What another hold like this one could reserve. */
  #usableBeside({ parentId, feature, caps = [] }: Of<"hold">): bigint {
    if (this.state.frozen || this.state.owed > 0n) return 0n;
    const parent = this.state.holds.find(({ id, open }) => id === parentId && open);
    if (parentId !== undefined && parent === undefined) return 0n;
    let left =
      parent === undefined
        ? this.spendable(feature ?? null)
        : this.#inScope(parent, feature ?? parent.feature);
    for (const cap of caps) {
      if (parent?.counts.some(({ id, added }) => id === cap.id && !added) === true) continue;
      const rest = cap.limit - (this.state.used.get(`${cap.id} ${this.#window(cap)}`) ?? 0n);
      left = min(left, rest < 0n ? 0n : rest);
    }
    return left;
  }

  #window(cap: Cap): string {
    if (cap.window === "total") return "total";
    return new Date(this.#now / 1000).toISOString().slice(0, cap.window === "day" ? 10 : 7);
  }

  #count(id: string, window: string, amount: bigint): void {
    this.state.used.set(`${id} ${window}`, (this.state.used.get(`${id} ${window}`) ?? 0n) + amount);
  }

  #spend({ amount, feature, caps = [] }: Of<"spend">): void {
    this.#checkUse();
    this.#checkCaps(caps, amount);
    this.#checkCovered(amount, feature ?? null);
    this.#takeFrom(this.#paying(feature ?? null), amount);
    this.#entry("spend", amount);
    for (const cap of caps) this.#count(cap.id, this.#window(cap), amount);
  }

  #hold({ id, amount, expiresAt, parentId, grantId, feature, caps = [], isLate = false }: Of<"hold">): void {
    const parent = parentId === undefined || grantId !== undefined ? null : this.#openHold(parentId);
    const hold: ModelHold = {
      id,
      parentId: parent?.id ?? null,
      parts: new Map(),
      feature: feature ?? parent?.feature ?? null,
      counts: (parent?.counts ?? [])
        .filter((count) => !count.added)
        .map((count) => ({ ...count, amount: 0n, inherited: true })),
      reported: 0n,
      expiresAt,
      open: true,
    };
    const own = caps.filter((cap) => !hold.counts.some((count) => count.id === cap.id));
    this.#reserve(hold, parent, amount, own, { grantId, isRenewal: isLate && amount === 0n });
    for (const cap of own) {
      hold.counts.push({ id: cap.id, window: this.#window(cap), amount, inherited: false, added: false });
      this.#count(cap.id, this.#window(cap), amount);
    }
    this.state.holds.push(hold);
    this.#entry("hold", amount, amount, expiresAt);
  }

  #extend({ holdId, amount, expiresAt, reported, caps = [] }: Of<"extend">): void {
    const hold = this.#openHold(holdId);
    const parent = this.#parentOf(hold);
    const isCounted = (cap: Cap, by: ModelHold | null) =>
      by?.counts.some(({ id, added }) => id === cap.id && !added) === true;
    const own = caps.filter((cap) => !isCounted(cap, parent));
    this.#reserve(hold, parent, amount, own, { isRenewal: amount === 0n });
    for (const id of new Set(hold.counts.filter((count) => !count.inherited).map((count) => count.id))) {
      const named = caps.find((cap) => cap.id === id);
      const newest = hold.counts.findLast((count) => count.id === id)!;
      if (newest.added && named === undefined) continue;
      const window = named === undefined ? newest.window : this.#window(named);
      const counted = hold.counts.find((count) => count.id === id && count.window === window);
      if (counted === undefined) hold.counts.push({ ...newest, window, amount });
      else counted.amount += amount;
      this.#count(id, window, amount);
    }
    for (const cap of caps) {
      if (amount === 0n || hold.counts.some(({ id }) => id === cap.id)) continue;
      hold.counts.push({ id: cap.id, window: this.#window(cap), amount, inherited: false, added: true });
      this.#count(cap.id, this.#window(cap), amount);
    }
    hold.expiresAt = expiresAt ?? hold.expiresAt;
    hold.reported = reported ?? hold.reported;
    this.#entry("extend", amount, size(hold), hold.expiresAt);
  }

  #reserve(
    hold: ModelHold,
    parent: ModelHold | null,
    amount: bigint,
    caps: readonly Cap[],
    { grantId, isRenewal }: { readonly grantId?: string | undefined; readonly isRenewal: boolean },
  ): void {
    let parts: Map<string, bigint>;
    if (grantId !== undefined) {
      const grant = this.state.grants.find((candidate) => candidate.id === grantId);
      const isGone = grant === undefined || (grant.remaining === 0n && this.heldOf(grantId) === 0n);
      if (isGone) return refuse({ kind: "grant_unknown", grantId });
      const available = grant.remaining;
      if (available < amount)
        refuse({ kind: "insufficient_credits", available, missing: amount - available });
      parts = this.#takeFrom([grant], amount);
    } else {
      if (!isRenewal) this.#checkUse();
      if (!isRenewal) this.#checkCaps(caps, amount);
      if (parent === null) this.#checkCovered(amount, hold.feature);
      else if (this.#inScope(parent, hold.feature) < amount)
        refuse({ kind: "parent_exhausted", parentId: parent.id, left: this.#inScope(parent, hold.feature) });
      parts =
        parent === null
          ? this.#takeFrom(this.#paying(hold.feature), amount)
          : this.#takeFromHold(parent, amount, hold.feature);
    }
    for (const [id, part] of parts) add(hold.parts, id, part);
  }

  #expiryOf(grantId: string): Result {
    const now = this.#newlyDone.find(([key]) => key === `expire ${grantId}`);
    if (now !== undefined) return now[1].result;
    const isOpen = this.state.grants.some((grant) => grant.id === grantId && grant.remaining > 0n);
    return refuse({ kind: isOpen ? "grant_not_due" : "grant_unknown", grantId });
  }

  #expireHold(holdId: string): void {
    const hold = this.#openHold(holdId);
    if (hold.expiresAt === null || this.#now < hold.expiresAt) refuse({ kind: "hold_not_due", holdId });
    this.#closeChildren(hold);
    this.#close(hold, hold.reported > 0n ? hold.reported : null);
  }

  #closeChildren(parent: ModelHold): void {
    const children = this.state.holds.filter((hold) => hold.open && hold.parentId === parent.id);
    for (const child of children.sort((a, b) => (a.id < b.id ? -1 : 1))) {
      this.#closeChildren(child);
      this.#close(child, child.reported > 0n ? child.reported : null);
      this.#endGroup(`close ${child.id}`, null);
    }
  }

  /** A null cost gives everything back. */
  #close(hold: ModelHold, cost: bigint | null): void {
    const held = size(hold);
    const parent = this.#parentOf(hold);
    const beyond = cost === null ? 0n : this.#charge(hold, parent, cost);
    if (cost === null || size(hold) > 0n) this.#giveBack(hold, parent);
    hold.open = false;
    this.#correct(hold, (cost ?? 0n) - held, beyond);
    for (const grant of this.inSpendingOrder()) {
      if (this.#isOver(grant) && grant.remaining > 0n) this.#expire(grant);
    }
    this.#repay();
  }

  #charge(hold: ModelHold, parent: ModelHold | null, cost: bigint): bigint {
    if (parent !== null && cost > size(hold)) {
      const grown = this.#takeFromHold(parent, cost - size(hold), hold.feature);
      for (const [id, part] of grown) add(hold.parts, id, part);
    }
    const settled = min(cost, size(hold));
    this.#takeFromHold(hold, settled);
    this.#entry("settle", settled, size(hold));
    const excess = cost - settled;
    const paid = sum([...this.#takeFrom(this.#paying(hold.feature), excess).values()]);
    if (paid > 0n) this.#entry("spend", paid);
    this.state.owed += excess - paid;
    if (excess > paid) this.#entry("overrun", excess - paid);
    return excess;
  }

  /** A cap hears of the difference between what was counted and the cost: the newest window first. One that an
   *  ancestor counts hears only of what went beyond everything that was reserved, and one of an extension alone only
   *  of what was not needed. */
  #correct(hold: ModelHold, difference: bigint, beyond: bigint): void {
    const newestFirst = hold.counts.toReversed();
    let left = new Map<string, bigint>();
    for (const { id, window, amount, inherited, added } of newestFirst) {
      if (added && difference > 0n) continue;
      const isFirst = !left.has(id);
      const rest = left.get(id) ?? (inherited ? beyond : difference);
      const by = rest >= 0n ? (isFirst ? rest : 0n) : -min(-rest, amount);
      left = left.set(id, rest - by);
      this.#count(id, window, by);
    }
  }

  #giveBack(hold: ModelHold, parent: ModelHold | null): void {
    const amount = size(hold);
    for (const [id, part] of hold.parts) {
      if (parent !== null) add(parent.parts, id, part);
      else this.state.grants.find((grant) => grant.id === id)!.remaining += part;
    }
    hold.parts.clear();
    this.#entry("release", amount, 0n);
  }

  #repay(): void {
    const repaid = sum([...this.#takeFrom(this.#paying(null), this.state.owed).values()]);
    this.state.owed -= repaid;
    if (repaid > 0n) this.#entry("repay", repaid);
  }

  #revoke({ grantId, amount }: Of<"revoke">): void {
    const grant = this.state.grants.find((candidate) => candidate.id === grantId);
    if (grant === undefined) return refuse({ kind: "grant_unknown", grantId });
    const revoked = (this.state.revoked.get(grantId) ?? 0n) + amount;
    if (revoked > grant.granted) refuse({ kind: "amount_out_of_range", amount });
    this.state.revoked.set(grantId, revoked);
    const taken = min(grant.remaining, amount);
    grant.remaining -= taken;
    this.state.owed += amount - taken;
    this.#entry("revoke", amount);
    this.#repay();
  }

  #adjust({ id, amount }: Of<"adjust">): void {
    if (amount > 0n)
      return this.#arrive("adjust", amount, { id, priority: 60, expiresAt: null, scope: null });
    const available = this.available();
    if (available < -amount)
      refuse({ kind: "insufficient_credits", available, missing: -amount - available });
    this.#takeFrom(this.inSpendingOrder(), -amount);
    this.#entry("adjust", amount);
  }

  #entry(
    kind: string,
    amount: bigint,
    holdAmount: bigint | null = null,
    expiresAt: number | null = null,
  ): void {
    this.state.seq += 1n;
    const after = { available: this.available(), held: this.held(), owed: this.state.owed };
    this.#entries.push({ kind, amount, seq: this.state.seq, ...after, holdAmount, expiresAt });
  }

  #endGroup(key: string, body: string | null): Result {
    const entries = this.#entries;
    this.#entries = [];
    const total = (...kinds: string[]) =>
      sum(entries.filter((entry) => kinds.includes(entry.kind)).map((entry) => entry.amount));
    const [first, last] = [entries[0]!, entries.at(-1)!];
    const result = {
      seq: last.seq,
      amount: first.amount,
      charged: total("settle", "spend", "overrun"),
      released: total("release"),
      overrun: total("overrun"),
      repaid: total("repay"),
      expired: total("expire"),
      available: last.available,
      held: last.held,
      owed: last.owed,
      holdAmount: entries.findLast((entry) => entry.holdAmount !== null)?.holdAmount ?? null,
      expiresAt: first.expiresAt as Result["expiresAt"],
    };
    this.#newlyDone.push([key, { body, leader: first.kind, result }]);
    return result;
  }
}

type Of<Kind extends Command["kind"]> = Extract<Command, { kind: Kind }>;
type Cap = NonNullable<Of<"spend">["caps"]>[number];

function mayPay(scope: readonly string[] | null, feature: string | null): boolean {
  return scope === null || (feature !== null && scope.includes(feature));
}

function closes(
  command: Command,
): command is Command & { kind: "settle" | "release" | "expire"; holdId: string } {
  return "holdId" in command && command.holdId !== undefined && command.kind !== "extend";
}

/** The caller's id; a hold closes once, and a grant expires once. */
function keyOf(command: Command): string {
  if (command.kind === "settle" || command.kind === "release") return `close ${command.holdId}`;
  if (command.kind !== "expire") return command.id;
  return command.holdId === undefined ? `expire ${command.grantId}` : `close ${command.holdId}`;
}

/** What was asked. Who asked, the reason, and times that are counted from now may differ. */
function bodyOf(command: Command): string {
  const asked: Record<string, unknown> = { ...command };
  for (const name of ["id", "by", "keyId", "caps", "requestId", "decision", "note", "usage", "reported"])
    delete asked[name];
  if (command.kind !== "grant") delete asked["expiresAt"];
  const text = (value: unknown) => (typeof value === "bigint" ? String(value) : value);
  return JSON.stringify(
    Object.entries(asked)
      .filter(([, value]) => value !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => [name, text(value)]),
  );
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, amount) => total + amount, 0n);
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function size(hold: ModelHold): bigint {
  return sum([...hold.parts.values()]);
}

function add(parts: Map<string, bigint>, grantId: string, amount: bigint): void {
  parts.set(grantId, (parts.get(grantId) ?? 0n) + amount);
}
