export interface Backoff {
  readonly firstMilliseconds: number;
  readonly longestMilliseconds: number;
}

export const DEFAULT_BACKOFF: Backoff = { firstMilliseconds: 200, longestMilliseconds: 15_000 };

/** How long to wait before the next try; `attempt` counts from 0, `random` is 0 to 1. Half of it is chance, so that the
 *  clients of a server that restarts do not all come at once. */
export function delayBefore(
  { firstMilliseconds, longestMilliseconds }: Backoff,
  attempt: number,
  random: number,
): number {
  const ceiling = Math.min(longestMilliseconds, firstMilliseconds * 2 ** Math.min(attempt, 30));
  return ceiling * (0.5 + random / 2);
}
