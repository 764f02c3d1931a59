import type { Meter } from "../bill/meter.ts";
import type { Usage } from "../bill/usage.ts";
import type { ChunkHead } from "./event.ts";

/** What has been passed on so far. */
export interface Passed {
  readonly meter: Meter;
  head: ChunkHead | null;
  /** What the upstream counted last. */
  usage: Usage | null;
  /** There was output after it, which it cannot know. */
  isUsageStale: boolean;
  /** The chunk of its own in which it said so, kept back: it goes out after the settlement, with the cost in it. */
  usageData: string | null;
  /** Why choices ended, by their index. */
  readonly finishes: Map<number, string>;
}
