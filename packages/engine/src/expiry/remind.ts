import { dayStart } from "@bursar/contract/calendar";
import type { AccountId } from "@bursar/contract/ids";
import { addSeconds, type Instant } from "@bursar/contract/instant";
import { withTransaction } from "@bursar/database/transaction";
import type { Deps } from "../deps.ts";
import { notify } from "../notice/notify.ts";
import { dueReminders, type ExpiringGrant, expiryNotice, REMINDER_DAYS } from "./decide.ts";
import { accountsOfPortion, claimReminders, expiringGrants, forgetTold } from "./store.ts";

const SECONDS_PER_DAY = 86_400;
const ACCOUNTS_AT_ONCE = 200;

/** Where today's walk over the accounts has come to. */
interface Walk {
  readonly day: Instant;
  readonly after: string;
}

/** Tells accounts what of theirs expires in 30, 7 and 1 days: each grant and reminder once, and all of an account's of a
 *  day in one notice, also by mail. One walk over the accounts a day and process, a portion a call; what another process
 *  has told is not told again. The returned function goes on with the walk and says how many accounts it has looked at;
 *  0: today is done. It throws when the database is unreachable; the next call goes on where it stopped. */
export function openExpiryReminders(deps: Pick<Deps, "pool" | "clock">): () => Promise<number> {
  let walked: Instant | null = null;
  let walk: Walk | null = null;
  return async () => {
    const today = dayStart(deps.clock.now());
    if (walk === null && walked === today) return 0;
    // A walk that midnight overtakes ends with the day that it began with.
    walk ??= { day: today, after: "" };
    const { day } = walk;
    const next = await goOn(deps, walk);
    walk = next?.walk ?? null;
    if (next !== null) return next.accounts;
    walked = day;
    return day === today ? 0 : 1;
  };
}

async function goOn(
  deps: Pick<Deps, "pool" | "clock">,
  { day, after }: Walk,
): Promise<{ accounts: number; walk: Walk } | null> {
  const now = deps.clock.now();
  const before = addSeconds(day, (REMINDER_DAYS[0] + 1) * SECONDS_PER_DAY);
  const portion = { now, before, after, limit: ACCOUNTS_AT_ONCE };
  const accounts = await accountsOfPortion(deps.pool, portion);
  const last = accounts.at(-1);
  if (last === undefined) {
    await forgetTold(deps.pool, addSeconds(now, -SECONDS_PER_DAY));
    return null;
  }
  const found = await expiringGrants(deps.pool, portion, accounts);
  for (const [accountId, grants] of found) await tell(deps, accountId, grants, day);
  return { accounts: accounts.length, walk: { day, after: last } };
}

async function tell(
  deps: Pick<Deps, "pool" | "clock">,
  accountId: AccountId,
  grants: readonly ExpiringGrant[],
  day: Instant,
): Promise<void> {
  const now = deps.clock.now();
  const due = dueReminders(grants, day, now);
  if (due.length === 0) return;
  await withTransaction(deps.pool, async (client) => {
    const mine = await claimReminders(client, accountId, due);
    if (mine.length === 0) return;
    const notice = expiryNotice(mine, now);
    await notify(client, deps.clock, { ...notice, accountId, kind: "expiry_reminder", mail: true });
  });
}
