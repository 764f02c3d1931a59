/** A run's signal that is aborted with this reason lets go of the run instead of cancelling it: it stops where it is,
 *  pays for what was produced, and can go on elsewhere from its last completed step. */
export const SUSPEND = "suspended";

/** Thrown through everything that a run is doing, for it must not take a stop for an answer. */
export class Suspended extends Error {
  override readonly name = "Suspended";
}

export function isSuspended(signal: AbortSignal): boolean {
  return signal.aborted && signal.reason === SUSPEND;
}

/** Throws: Suspended. */
export function stopIfSuspended({ signal }: { readonly signal: AbortSignal }): void {
  if (isSuspended(signal)) throw new Suspended("the run goes on elsewhere");
}
