import { dayStart } from "@bursar/contract/calendar";
import type { GrantId } from "@bursar/contract/ids";
import { addSeconds, formatInstant, type Instant } from "@bursar/contract/instant";
import { formatCredits, type MicroCredits } from "@bursar/contract/money";
import { digestOf } from "../digest.ts";
import type { GrantSource } from "../ledger/kinds.ts";

/** So many days ahead people are told, the first time first. */
export const REMINDER_DAYS = [30, 7, 1] as const;

const SECONDS_PER_DAY = 86_400;
/** A notice stays readable, and within what a notice may hold. */
const MOST_LINES = 15;

export interface ExpiringGrant {
  readonly grantId: GrantId;
  readonly source: GrantSource;
  readonly remaining: MicroCredits;
  readonly allocatedAt: Instant;
  readonly expiresAt: Instant;
  /** The nearest reminder that was told so far. */
  readonly toldDays: number | null;
}

export interface Reminder {
  readonly grant: ExpiringGrant;
  readonly days: number;
}

/** What an account is to be told on the day that begins at `day`, soonest expiry first. A reminder is due from the
 *  beginning of the day in which it falls, so that all of a day make one notice. Where several have passed, only the
 *  nearest is told. A grant that lives no longer than a reminder is ahead was given with that expiry in sight, and has
 *  no such reminder; what is used up has none either. */
export function dueReminders(grants: readonly ExpiringGrant[], day: Instant, now: Instant): Reminder[] {
  const dayEnd = addSeconds(day, SECONDS_PER_DAY);
  const due = grants.flatMap((grant) => {
    const days = nearestReached(grant, dayEnd);
    const isOver = grant.remaining === 0n || grant.expiresAt <= now;
    const isTold = days === null || (grant.toldDays !== null && grant.toldDays <= days);
    return isOver || isTold || livesOnly(grant, days) ? [] : [{ grant, days }];
  });
  return due.sort((a, b) => a.grant.expiresAt - b.grant.expiresAt);
}

function nearestReached({ expiresAt }: ExpiringGrant, dayEnd: Instant): number | null {
  return REMINDER_DAYS.findLast((days) => expiresAt < addSeconds(dayEnd, days * SECONDS_PER_DAY)) ?? null;
}

function livesOnly({ allocatedAt, expiresAt }: ExpiringGrant, days: number): boolean {
  return allocatedAt >= addSeconds(expiresAt, -days * SECONDS_PER_DAY);
}

export interface ExpiryNotice {
  readonly id: string;
  readonly title: string;
  readonly text: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** One notice for all that an account is told at once. */
export function expiryNotice(reminders: readonly Reminder[], now: Instant): ExpiryNotice {
  const total = reminders.reduce((sum, { grant }) => sum + grant.remaining, 0n);
  const first = reminders[0]!.grant;
  const shown = reminders.slice(0, MOST_LINES);
  const more = reminders.length - shown.length;
  const lines = shown.map(({ grant }) => lineOf(grant));
  const names = reminders.map(({ grant, days }) => `${grant.grantId} ${days}`).join("\n");
  return {
    id: `expiry:${dateOf(dayStart(now))}:${digestOf(names)}`,
    title: `${formatCredits(total)} credits expire soon, the first on ${dateOf(first.expiresAt)}`,
    text: [
      "Unused, these credits expire:",
      ...lines,
      ...(more > 0 ? [`and ${more} more`] : []),
      "",
      "They are spent before credits that last longer wherever their kind allows it.",
    ].join("\n"),
    details: {
      total: formatCredits(total),
      grants: shown.map(({ grant, days }) => {
        const { grantId, source, remaining, expiresAt } = grant;
        return {
          grantId,
          source,
          amount: formatCredits(remaining),
          expiresAt: formatInstant(expiresAt),
          days,
        };
      }),
    },
  };
}

function lineOf({ remaining, source, expiresAt }: ExpiringGrant): string {
  const time = formatInstant(expiresAt).slice(11, 16);
  return `- ${formatCredits(remaining)} credits (${source}) on ${dateOf(expiresAt)} at ${time} UTC`;
}

function dateOf(at: Instant): string {
  return formatInstant(at).slice(0, 10);
}
