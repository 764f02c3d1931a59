import { type Draw, sumOfDraws } from "./account.ts";
import type { ReadEntry } from "./entry.ts";

interface ReplayedHold {
  amount: bigint;
  readonly parentId: string | null;
  readonly draws: Map<string, bigint>;
}

/** The open holds of an account as its entries alone tell them. */
export class HoldReplay {
  readonly #holds = new Map<string, ReplayedHold>();
  readonly #problem: (message: string) => void;

  constructor(problem: (message: string) => void) {
    this.#problem = problem;
  }

  add(entry: ReadEntry): void {
    const { kind, reference, parentId } = entry;
    if (kind === "hold") this.#holds.set(reference, { amount: 0n, parentId, draws: new Map() });
    if (kind === "hold" || kind === "extend") this.#reserve(entry);
    else if (kind === "settle") this.#settle(entry);
    else if (kind === "release") this.#release(entry);
  }

  /** What the holds table must say: one line a hold, in any order. */
  lines(): string[] {
    return [...this.#holds].map(([id, { amount, parentId, draws }]) =>
      holdLine(id, amount, parentId, [...draws]),
    );
  }

  #open(id: string): ReplayedHold | null {
    const hold = this.#holds.get(id);
    if (hold === undefined) this.#problem(`the hold ${id} is not open`);
    return hold ?? null;
  }

  #reserve({ reference, parentId, draws }: ReadEntry): void {
    const hold = this.#open(reference);
    if (hold !== null) add(hold, draws, 1n);
    const parent = parentId === null ? null : this.#open(parentId);
    if (parent !== null) add(parent, draws, -1n);
  }

  /** A child that cost more than it held has taken the rest from its parent. */
  #settle({ reference, draws, holdAfter }: ReadEntry): void {
    const hold = this.#open(reference);
    if (hold === null) return;
    const own = draws.map(([id, amount]): Draw => [id, least(amount, hold.draws.get(id) ?? 0n)]);
    const parent = hold.parentId === null ? null : this.#open(hold.parentId);
    add(hold, own, -1n);
    if (parent !== null) add(parent, draws, -1n);
    if (parent !== null) add(parent, own, 1n);
    if (holdAfter === 0n) this.#holds.delete(reference);
  }

  #release({ reference, parentId, draws, amount }: ReadEntry): void {
    const hold = this.#open(reference);
    if (hold === null) return;
    if (hold.amount !== amount) this.#problem(`the hold ${reference} releases ${amount} of ${hold.amount}`);
    const parent = parentId === null ? null : this.#open(parentId);
    if (parent !== null) add(parent, draws, 1n);
    this.#holds.delete(reference);
  }
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function add(hold: ReplayedHold, draws: readonly Draw[], sign: bigint): void {
  hold.amount += sign * sumOfDraws(draws);
  for (const [id, amount] of draws) {
    const left = (hold.draws.get(id) ?? 0n) + sign * amount;
    if (left === 0n) hold.draws.delete(id);
    else hold.draws.set(id, left);
  }
}

export function holdLine(
  id: string,
  amount: bigint,
  parentId: string | null,
  draws: readonly (readonly [string, bigint])[],
): string {
  const parts = draws.map(([grantId, part]) => `${grantId}=${part}`).sort((a, b) => (a < b ? -1 : 1));
  return `${id} ${amount} ${parentId ?? "-"} ${parts.join(",")}`;
}
