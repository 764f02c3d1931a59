import { addDuration, type Duration } from "@bursar/contract/duration";
import type { Instant } from "@bursar/contract/instant";
import type { Log } from "@bursar/database/log";
import type pg from "pg";
import type { Clock } from "./clock.ts";
import { startPolling } from "./poll.ts";
import { type ClockPosition, changePosition, readPosition } from "./store.ts";

/** A sandbox's time: goes with the machine's, and can be moved ahead or stopped. */
export interface MovableClock extends Clock {
  /** The process's view; cheap and synchronous. Never goes back within a process. */
  now(): Instant;
  state(): ClockState;
  /** Moves time ahead, for all processes on this database; here at once, elsewhere within `POLL_MILLISECONDS`.
   *  Outcomes, first match wins: out_of_range (beyond the last instant that is exact), moved. */
  advance(duration: Duration): Promise<AdvanceOutcome>;
  /** Time stands still, or goes on from where it stood. What is so already stays so. */
  freeze(isFrozen: boolean): Promise<ClockState>;
  /** Reads what other processes have changed. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

export interface ClockState {
  readonly now: Instant;
  readonly systemTime: Instant;
  readonly frozen: boolean;
}

export type AdvanceOutcome =
  | { readonly kind: "moved"; readonly state: ClockState }
  | { readonly kind: "out_of_range" };

interface MovableClockDeps {
  readonly pool: pg.Pool;
  /** The machine's time. */
  readonly system: Clock;
  readonly log: Log;
}

const POLL_MILLISECONDS = 250;
const START: ClockPosition = { offsetMicroseconds: 0, frozenAt: null };
/** 2200-01-01: later ones are not exact once something is added. */
const LAST = 7_258_118_400_000_000;

/** The position is in the database, so that processes and restarts agree; each process keeps a copy.
 *  Throws: database unreachable. */
export async function openMovableClock({ pool, system, log }: MovableClockDeps): Promise<MovableClock> {
  let position = (await readPosition(pool)) ?? START;
  let latest = 0;
  let changes = 0;
  let changing = 0;
  const take = (next: ClockPosition | null) => {
    position = next ?? START;
    changes++;
  };
  const now = () => {
    latest = Math.max(latest, timeAt(position, system.now()));
    return latest as Instant;
  };
  const state = (): ClockState => ({
    now: now(),
    systemTime: system.now(),
    frozen: position.frozenAt !== null,
  });
  const refresh = async () => {
    const before = changes;
    const read = await readPosition(pool);
    // An answer that is older than a move made here meanwhile says nothing.
    if (before === changes && changing === 0) take(read);
  };
  const poll = startPolling(refresh, {
    everyMilliseconds: POLL_MILLISECONDS,
    log,
    complaint: "the sandbox clock cannot be read; it goes on as it was",
  });
  return {
    now,
    state,
    refresh,
    advance: async (duration) => {
      const changed = await changePosition(pool, (before) => ahead(before ?? START, duration, system.now()));
      if (changed === null) return { kind: "out_of_range" };
      take(changed);
      return { kind: "moved", state: state() };
    },
    freeze: async (isFrozen) => {
      changing++;
      try {
        // Time stands still here before others are told of it, or it would go on for a moment beyond where it stands.
        await changePosition(pool, (before) => {
          const changed = frozen(before ?? START, isFrozen, system.now());
          take(changed);
          return changed;
        });
      } finally {
        changing--;
      }
      return state();
    },
    close: () => poll.stop(),
  };
}

function timeAt({ offsetMicroseconds, frozenAt }: ClockPosition, system: Instant): number {
  return frozenAt ?? system + offsetMicroseconds;
}

function ahead(position: ClockPosition, duration: Duration, system: Instant): ClockPosition | null {
  const now = timeAt(position, system) as Instant;
  const then = addDuration(now, duration);
  if (!(then <= LAST)) return null;
  if (position.frozenAt !== null) return { ...position, frozenAt: then };
  return { ...position, offsetMicroseconds: position.offsetMicroseconds + (then - now) };
}

function frozen(position: ClockPosition, isFrozen: boolean, system: Instant): ClockPosition {
  const { frozenAt } = position;
  if (isFrozen === (frozenAt !== null)) return position;
  if (frozenAt === null) return { ...position, frozenAt: timeAt(position, system) as Instant };
  return { offsetMicroseconds: frozenAt - system, frozenAt: null };
}
