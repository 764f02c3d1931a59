import type { Stripe } from "stripe";
import type { Faults } from "./fault/faults.ts";
import type { State } from "./state.ts";

/** The one version that this Stripe speaks: the one the official SDK of our pinned version asks for. */
export const API_VERSION = "2026-10-28.endive";

export type Follower = (world: World, intent: Stripe.PaymentIntent | Stripe.SetupIntent) => void;

export interface World {
  readonly state: State;
  readonly faults: Faults;
  readonly secretKey: string;
  /** Milliseconds of the moving clock. */
  readonly now: () => number;
  /** Where this Stripe listens, for the pages it sends people to. */
  readonly url: string;
  /** Told when an intent has moved: checkouts and invoices go on when their payment does. */
  readonly followers: readonly Follower[];
  /** Endpoints that an earlier start registered and nobody has since: their next URL may be another. */
  readonly leftEndpoints: Set<string>;
  /** Resolves when what has happened so far is on disk, if it is kept at all. */
  readonly keep: () => Promise<void>;
  /** Who asked for what is being done; null for what happens by itself. */
  request: Stripe.Event.Request | null;
}

/** Stripe's times are whole seconds. */
export function secondsOf(world: Pick<World, "now">): number {
  return Math.floor(world.now() / 1000);
}

/** Tells whoever follows an intent that it has moved. */
export function follow(world: World, intent: Stripe.PaymentIntent | Stripe.SetupIntent): void {
  for (const follower of world.followers) follower(world, intent);
}
