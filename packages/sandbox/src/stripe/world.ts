import type { Stripe } from "stripe";
import type { Faults } from "./fault/faults.ts";
import type { State } from "./state.ts";

/** The one version that this Stripe speaks: the one the official SDK of our pinned version asks for. */
export const API_VERSION = "2026-10-28.endive";

export interface World {
  readonly state: State;
  readonly faults: Faults;
  readonly secretKey: string;
  /** Milliseconds of the moving clock. */
  readonly now: () => number;
  /** Where this Stripe listens, for the pages it sends people to. */
  url: string;
  /** Who asked for what is being done; null for what happens by itself. */
  request: Stripe.Event.Request | null;
}

/** Stripe's times are whole seconds. */
export function secondsOf(world: Pick<World, "now">): number {
  return Math.floor(world.now() / 1000);
}
