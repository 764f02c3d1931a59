import type { KnownGroup } from "./book.ts";

/** What idempotency keys have done on one account. Nearly always there is one or none, and a map for each account of
 *  each batch would be a tenth of what a command allocates: the first is kept beside it. */
export class KnownGroups {
  #key: string | null = null;
  #group: KnownGroup | undefined;
  #more: Map<string, KnownGroup> | null = null;

  get(key: string): KnownGroup | undefined {
    return key === this.#key ? this.#group : this.#more?.get(key);
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  add(key: string, group: KnownGroup): void {
    if (this.#key === null || this.#key === key) {
      this.#key = key;
      this.#group = group;
      return;
    }
    this.#more ??= new Map();
    this.#more.set(key, group);
  }
}
