import { addSeconds, type Instant } from "@bursar/contract/instant";
import { openFresh } from "../clock/fresh.ts";
import type { Deps } from "../deps.ts";
import { readSightings, writeSighting } from "./store.ts";

/** More models than anybody offers. */
const LARGEST = 10_000;
/** Another process's sighting counts here after at most so long. */
const FRESH_SECONDS = 5;
const DAY_SECONDS = 86_400;
/** A model that its provider has changed is believed again some day. */
const MEMORY_SECONDS = 30 * DAY_SECONDS;

/** The models that were seen to bill what they do not show: seen once, by any process, and it is known to all. */
export interface Thinkers {
  /** Throws: database unreachable, where it has never been read. What is not known is a no. */
  has(model: string): Promise<boolean>;
  /** Known here at once. Written the first time, and once a day from then on. Never throws. */
  saw(model: string): Promise<void>;
}

export function openThinkers({ pool, clock, log }: Pick<Deps, "pool" | "clock" | "log">): Thinkers {
  const seen = new Map<string, Instant>();
  const fresh = openFresh(clock, FRESH_SECONDS, async (now) => {
    const sightings = await readSightings(pool, addSeconds(now, -MEMORY_SECONDS), LARGEST);
    for (const { model, seenAt } of sightings) if (seenAt > (seen.get(model) ?? 0)) seen.set(model, seenAt);
  });
  const isWithin = (model: string, seconds: number) => {
    const at = seen.get(model);
    return at !== undefined && at > addSeconds(clock.now(), -seconds);
  };

  return {
    has: async (model) => {
      if (fresh.isStale(clock.now()) && !isWithin(model, MEMORY_SECONDS))
        await fresh.refresh().catch((error: unknown) => {
          if (!fresh.isKnown()) throw error;
        });
      return isWithin(model, MEMORY_SECONDS);
    },
    saw: async (model) => {
      if (isWithin(model, DAY_SECONDS) || (!seen.has(model) && seen.size >= LARGEST)) return;
      const seenAt = clock.now();
      seen.set(model, seenAt);
      await writeSighting(pool, { model, seenAt }).catch((error: unknown) => {
        // The next sighting writes it.
        seen.set(model, addSeconds(seenAt, -DAY_SECONDS));
        log.warn({ err: error, model }, "that a model thinks unseen could not be kept");
      });
    },
  };
}
