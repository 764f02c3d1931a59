import type { GatewaySettings } from "../settings.ts";

type Settings = Pick<GatewaySettings, "breakerFailures" | "breakerSeconds">;

/** What one account asks may be the very thing that an upstream fails at: for all it counts no more often. */
const COUNTED_OF_ONE = 2;

/** Leaves an upstream alone that has failed call after call: to an account whose own calls fail, and to all where those
 *  of several accounts do. Any success opens the way again. */
export class Breaker {
  readonly #settings: Settings;
  readonly #ofOne = new Map<string, Circuit>();
  #ofAll: Circuit;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#ofAll = new Circuit(settings);
  }

  /** Whether a call of this account may be made now. */
  admits(accountId: string): boolean {
    return (this.#ofOne.get(accountId)?.admits() ?? true) && this.#ofAll.admits();
  }

  succeeded(): void {
    this.#ofOne.clear();
    this.#ofAll = new Circuit(this.#settings);
  }

  /** Once a call, after its retries. */
  failed(accountId: string): void {
    const ofOne = this.#ofOne.get(accountId) ?? new Circuit(this.#settings);
    this.#ofOne.set(accountId, ofOne);
    ofOne.fail();
    if (ofOne.failures <= COUNTED_OF_ONE) this.#ofAll.fail();
  }
}

/** Closed to calls for a while after so many failures in a row; then for one, which sees whether it was enough. */
class Circuit {
  failures = 0;
  #pausedUntil = 0;
  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  admits(): boolean {
    if (this.failures < this.#settings.breakerFailures) return true;
    if (performance.now() < this.#pausedUntil) return false;
    this.#pause();
    return true;
  }

  fail(): void {
    this.failures += 1;
    this.#pause();
  }

  #pause(): void {
    this.#pausedUntil = performance.now() + this.#settings.breakerSeconds * 1000;
  }
}
