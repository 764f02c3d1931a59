import { formatInstant, type Instant } from "@bursar/contract/instant";
import type { PriceBookInput } from "@bursar/contract/operations/prices";
import type pg from "pg";
import type { Clock } from "../clock/clock.ts";
import { openFresh } from "../clock/fresh.ts";
import type { PriceBook } from "./decide.ts";
import { insertPriceBook, loadPriceBooks, type PriceBookVersion, type PutOutcome } from "./store.ts";

/** Nobody has put one yet, or the first begins later. Until then whatever has to know a price is refused. */
export class NoPriceBook extends Error {
  override readonly name = "NoPriceBook";
  override readonly message =
    "There are no prices yet: an administrator puts them in with POST /v1/price-book, or bursar prices set";
}

/** The price book in force, kept in memory: another process's new version counts here after at most a second. */
export interface Prices {
  /** Throws: NoPriceBook; database unreachable. A price that is not known is a no. */
  current(): Promise<PriceBook>;
  versions(at: Instant): Promise<PriceBookVersion[]>;
  put(request: {
    body: PriceBookInput;
    validFrom?: Instant;
    version?: number;
    by: string;
  }): Promise<PutOutcome>;
}

const FRESH_SECONDS = 1;

export function openPrices(deps: { pool: pg.Pool; clock: Clock }): Prices {
  const { pool, clock } = deps;
  let known: readonly PriceBookVersion[] = [];
  const fresh = openFresh(clock, FRESH_SECONDS, async (now) => {
    known = await loadPriceBooks(pool, now);
  });

  return {
    current: async () => {
      const now = clock.now();
      if (fresh.isStale(now)) await fresh.refresh();
      const inForce = known.findLast((version) => version.validFrom <= now);
      if (inForce === undefined) throw new NoPriceBook();
      return inForce;
    },
    versions: (at) => loadPriceBooks(pool, at),
    put: async (request) => {
      const now = clock.now();
      const outcome = await insertPriceBook(pool, {
        body: request.body,
        validFrom: formatInstant(request.validFrom ?? now),
        createdAt: formatInstant(now),
        version: request.version ?? null,
        by: request.by,
      });
      fresh.expire();
      return outcome;
    },
  };
}
