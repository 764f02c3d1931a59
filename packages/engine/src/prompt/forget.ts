import type { Deps } from "../deps.ts";
import { deleteDue } from "./store.ts";

const PORTION = 500;

/** Forgets prompts that ended a while ago, and those that nobody has gone on with. Returns how many. */
export function forgetPrompts({ pool, clock }: Pick<Deps, "pool" | "clock">): Promise<number> {
  return deleteDue(pool, clock.now(), PORTION);
}
