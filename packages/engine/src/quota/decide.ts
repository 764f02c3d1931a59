import { addMonths, monthlyPeriodAt, type Period } from "@bursar/contract/calendar";
import type { AccountId, GrantId } from "@bursar/contract/ids";
import { formatInstant, type Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";

/** How much of what a cycle leaves unused may live on, and for how many months after that cycle. */
export interface Rollover {
  readonly cap: MicroCredits;
  readonly months: number;
}

/** What an account is given each month. */
export interface Quota {
  readonly accountId: AccountId;
  /** Cycles are months counted from here. Never changes. */
  readonly anchor: Instant;
  /** Micro-credits a cycle; 0: none. */
  readonly credits: MicroCredits;
  readonly rollover: Rollover | null;
  /** The cycle that was issued last, by its number from the anchor; null before the first. */
  readonly issuedCycle: number | null;
  readonly nextResetAt: Instant;
}

/** The cycle that has ended, and what may live on of it. */
export interface EndedCycle {
  readonly grantId: GrantId;
  readonly newId: GrantId;
  readonly cap: MicroCredits;
  readonly expiresAt: Instant;
}

export interface DueReset {
  readonly cycle: Period;
  readonly grantId: GrantId;
  readonly amount: MicroCredits;
  /** null where nothing may live on: no cycle before this one, no rollover, or its time is over already. */
  readonly ended: EndedCycle | null;
}

/** What a reset has to do now; null while the cycle lasts. After an absence only the current cycle is issued: the
 *  credits of those between would have expired. What is asked twice is answered alike, so that a reset which stopped
 *  half way goes on where it was. */
export function dueReset(quota: Quota, now: Instant): DueReset | null {
  if (now < quota.nextResetAt) return null;
  const cycle = monthlyPeriodAt(quota.anchor, now);
  return {
    cycle,
    grantId: cycleGrantId("free", cycle.start),
    amount: quota.credits,
    ended: endedCycle(quota, now),
  };
}

/** A cycle's grant is named by the day on which the cycle began. */
export function cycleGrantId(name: string, start: Instant): GrantId {
  return `grant_${name}_${formatInstant(start).slice(0, 10)}` as GrantId;
}

/** The start and end of a cycle by its number. */
export function cycleOf({ anchor }: Pick<Quota, "anchor">, index: number): Period {
  return { index, start: addMonths(anchor, index), end: addMonths(anchor, index + 1) };
}

function endedCycle(quota: Quota, now: Instant): EndedCycle | null {
  const { issuedCycle, rollover, anchor } = quota;
  if (issuedCycle === null || rollover === null) return null;
  const expiresAt = addMonths(anchor, issuedCycle + 1 + rollover.months);
  if (expiresAt <= now) return null;
  const { start } = cycleOf(quota, issuedCycle);
  const ids = { grantId: cycleGrantId("free", start), newId: cycleGrantId("rollover", start) };
  return { ...ids, cap: rollover.cap, expiresAt };
}
