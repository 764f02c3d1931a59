import { formatInstant, type Instant } from "@bursar/contract/instant";
import { type MicroCredits, smaller } from "@bursar/contract/money";
import type { CountedCap, Hold } from "./account.ts";
import { type Book, counterName } from "./book.ts";
import type { Cap, OnHold, Refusal } from "./command.ts";

/** The UTC day or month a use falls into; a total has one window for ever. */
export function windowStart(cap: Pick<Cap, "window">, now: Instant): string {
  switch (cap.window) {
    case "total":
      return "total";
    case "day":
      return formatInstant(now).slice(0, 10);
    case "month":
      return formatInstant(now).slice(0, 7);
  }
}

/** Counts what was revoked of a grant, so that refunds and disputes together never take more than it was. The slash
 *  keeps it apart from the ids of keys. */
export function revokedCounter(grantId: string): string {
  return `revoked/${grantId}`;
}

const TOTAL = "/total";

/** What one person may use of an account's credits. The slash keeps it apart from the ids of keys. */
export function capOfPerson(personId: string, window: Cap["window"]): string {
  return `${personId}/${window}`;
}

/** The caps that the whole hold counts in, by itself or by what it draws from. */
function countingAll({ caps }: Pick<Hold, "caps">): CountedCap[] {
  return caps.filter(({ addedOnly }) => addedOnly !== true);
}

/** In whose caps a hold counts, whoever settles it; null: in nobody's. */
export function personCounted(hold: Pick<Hold, "caps">): string | null {
  const total = countingAll(hold).find(({ id }) => id.endsWith(TOTAL));
  return total === undefined ? null : total.id.slice(0, -TOTAL.length);
}

/** A hard stop: what would go beyond a cap is refused. */
export function withinCaps(
  book: Pick<Book, "counters">,
  caps: readonly Cap[],
  amount: MicroCredits,
  now: Instant,
): Refusal | null {
  for (const cap of caps) {
    const used = usedOf(book, cap, now);
    if (used + amount > cap.limit) return { kind: "cap_exceeded", cap, used };
  }
  return null;
}

export function leftOfCap(book: Pick<Book, "counters">, cap: Cap, now: Instant): MicroCredits {
  const used = usedOf(book, cap, now);
  return used < cap.limit ? cap.limit - used : 0n;
}

function usedOf({ counters }: Pick<Book, "counters">, cap: Cap, now: Instant): MicroCredits {
  return counters.get(counterName(cap.id, windowStart(cap, now))) ?? 0n;
}

/** Whether whoever asks may know of the hold: it counts in their cap, by itself or by what it draws from, and is not one
 *  that freezes credits. */
export function isReachable(
  hold: Pick<Hold, "caps" | "expiresAt">,
  { byAccount, countedIn }: OnHold,
): boolean {
  if (byAccount === true && hold.expiresAt === null) return false;
  return countedIn === undefined || countingAll(hold).some((cap) => cap.id === countedIn);
}

/** What a parent reserved was counted then: its children count only in caps of their own. */
export function notYetCounted(caps: readonly Cap[] | undefined, parent: Hold | null): readonly Cap[] {
  if (caps === undefined || parent === null) return caps ?? [];
  const before = countingAll(parent);
  return caps.filter((cap) => !before.some((counted) => counted.id === cap.id));
}

export function counted(caps: readonly Cap[], amount: MicroCredits, now: Instant): CountedCap[] {
  return caps.map((cap) => ({ id: cap.id, windowStart: windowStart(cap, now), amount, inherited: false }));
}

/** An extension counts in the caps that its hold counts in, and in those of whoever asks: in today's window where the
 *  caller names the cap, else in the newest that the hold has. */
export function countedOfExtension(
  hold: Hold,
  caps: readonly Cap[] = [],
  amount: MicroCredits,
  now: Instant,
): CountedCap[] {
  const newest = new Map(hold.caps.filter((cap) => !cap.inherited).map((cap) => [cap.id, cap]));
  const more: CountedCap[] = [];
  for (const cap of newest.values()) {
    const named = caps.find((other) => other.id === cap.id);
    if (named !== undefined) more.push({ ...cap, amount, windowStart: windowStart(named, now) });
    else if (cap.addedOnly !== true) more.push({ ...cap, amount });
  }
  if (amount === 0n) return more;
  const others = caps.filter((cap) => !hold.caps.some((known) => known.id === cap.id));
  return [...more, ...counted(others, amount, now).map((cap) => ({ ...cap, addedOnly: true as const }))];
}

/** What a child carries on of its parent's caps: counted there, and known here, so that its own children know too. */
export function inherited(parent: Hold | null): CountedCap[] {
  if (parent === null) return [];
  return countingAll(parent).map((cap) => ({ ...cap, amount: 0n, inherited: true }));
}

/** Adds an extension's count: to the window it falls into, which may be another than the hold's first. */
export function addCounted(caps: readonly CountedCap[], more: readonly CountedCap[]): CountedCap[] {
  const isSame = (a: CountedCap, b: CountedCap) => a.id === b.id && a.windowStart === b.windowStart;
  const grown = caps.map((cap) => {
    const extension = more.find((other) => isSame(cap, other));
    return extension === undefined ? cap : { ...cap, amount: cap.amount + extension.amount };
  });
  return [...grown, ...more.filter((other) => !caps.some((cap) => isSame(cap, other)))];
}

/** By how much each counter moves when a hold closes: what was counted too much leaves the newest window first, what
 *  was too little joins it. Caps that an ancestor counted only hear of what went beyond all that was reserved, and those
 *  of somebody else's extension only of what was not needed. */
export function corrections(
  hold: Pick<Hold, "amount" | "caps">,
  cost: MicroCredits,
  beyond: MicroCredits,
): { readonly cap: CountedCap; readonly by: MicroCredits }[] {
  const moves: { cap: CountedCap; by: MicroCredits }[] = [];
  const newestFirst = hold.caps.toReversed();
  for (const id of new Set(newestFirst.map((cap) => cap.id))) {
    const windows = newestFirst.filter((cap) => cap.id === id);
    const difference = cost - hold.amount;
    if (windows[0]!.inherited) moves.push({ cap: windows[0]!, by: beyond });
    else if (difference < 0n || windows[0]!.addedOnly !== true) moves.push(...corrected(windows, difference));
  }
  return moves;
}

function corrected(windows: readonly CountedCap[], difference: MicroCredits) {
  if (difference >= 0n) return [{ cap: windows[0]!, by: difference }];
  let left = -difference;
  return windows.map((cap) => {
    const part = smaller(cap.amount, left);
    left -= part;
    return { cap, by: -part };
  });
}
