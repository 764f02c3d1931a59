import { createFaults } from "../fault/faults.ts";
import type { World } from "../world.ts";

/** A copy of the world in which anything may be tried: nothing is told, kept, or seen by anybody. */
export function whatIf(world: World): World {
  return {
    ...world,
    // What is to go wrong is seen here, and still to come outside.
    faults: createFaults(world.faults.list()),
    state: { ...structuredClone(world.state), webhookEndpoints: new Map() },
    keep: () => Promise.resolve(),
  };
}
