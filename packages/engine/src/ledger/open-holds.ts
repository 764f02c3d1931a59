import type { HoldId } from "@bursar/contract/ids";
import type { Hold } from "./account.ts";
import type { KnownHolds } from "./book.ts";

/** The open holds of one account, as far as they are known, each with its open children. */
export class OpenHolds implements KnownHolds {
  /** Most accounts have no hold open, and never a child hold. */
  #holds: Map<HoldId, Hold> | null = null;
  #children: Map<HoldId, Set<HoldId>> | null = null;
  /** Holds of which it is unknown whether these are all of their children: parents that only a child has named. */
  #partial: Set<HoldId> | null = null;

  get size(): number {
    return this.#holds?.size ?? 0;
  }

  get(id: HoldId): Hold | undefined {
    return this.#holds?.get(id);
  }

  childrenOf(id: HoldId): Iterable<HoldId> {
    return this.#children?.get(id) ?? [];
  }

  /** Whether the hold is known with all its children, so that it may be closed. */
  isWhole(id: HoldId): boolean {
    return this.#holds?.has(id) === true && this.#partial?.has(id) !== true;
  }

  /** Puts a hold as it was read, with all its children read beside it. */
  putWhole(hold: Hold): void {
    this.#partial?.delete(hold.id);
    this.put(hold);
  }

  /** Puts a new hold, or one that has changed. */
  put(hold: Hold): void {
    this.#holds ??= new Map();
    this.#holds.set(hold.id, hold);
    if (hold.parentId === null) return;
    this.#children ??= new Map();
    const siblings = this.#children.get(hold.parentId);
    if (siblings === undefined) this.#children.set(hold.parentId, new Set([hold.id]));
    else siblings.add(hold.id);
  }

  /** Puts a hold as it was read, without its other children. */
  putPartial(hold: Hold): void {
    if (!this.isWhole(hold.id)) {
      this.#partial ??= new Set();
      this.#partial.add(hold.id);
    }
    this.put(hold);
  }

  delete(id: HoldId): void {
    const parentId = this.#holds?.get(id)?.parentId;
    if (parentId != null) this.#children?.get(parentId)?.delete(id);
    this.#holds?.delete(id);
    this.#children?.delete(id);
    this.#partial?.delete(id);
  }
}
