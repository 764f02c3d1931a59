import type { PushOf } from "@bursar/contract/socket/topics";
import type { Look } from "../context.ts";
import { amount, creditsText, isZero } from "../output/amount.ts";
import { printable } from "../output/printable.ts";
import { facts, table } from "../output/table.ts";
import { clockTime, expiry } from "../output/time.ts";

/** What is known of the account so far. */
export interface Watched {
  readonly balance: PushOf<"balance"> | null;
  readonly holds: PushOf<"holds"> | null;
  readonly entries: PushOf<"entries"> | null;
  readonly isConnected: boolean;
}

type Entry = PushOf<"entries">["entries"][number];

const SHOWN_ENTRIES = 10;
const SHOWN_HOLDS = 10;

/** The whole view, as lines. */
export function viewOf(watched: Watched, look: Look): string[] {
  const { balance, holds, entries, isConnected } = watched;
  const { paint } = look;
  const state = isConnected ? "" : paint.yellow("  (connecting again)");
  if (balance === null) return [`${paint.dim("Waiting for the account")}${state}`];
  const shownHolds = holds?.holds.slice(0, SHOWN_HOLDS) ?? [];
  const shownEntries = entries?.entries.slice(0, SHOWN_ENTRIES) ?? [];
  const parts = [
    `${headline(balance, look)}${state}`,
    facts(paint, [
      ["held by open holds", isZero(balance.held) ? null : amount(balance.held)],
      ["owed", isZero(balance.owed) ? null : amount(balance.owed)],
    ]),
    shownHolds.length === 0 ? "" : holdTable(shownHolds, look),
    shownEntries.length === 0 ? "" : entryTable(shownEntries, look),
    paint.dim("Ctrl-C ends."),
  ];
  return parts.filter((part) => part !== "").flatMap((part) => [...part.split("\n"), ""]);
}

function headline({ accountId, available, frozen, owed }: PushOf<"balance">, { paint }: Look): string {
  const mark = frozen ? paint.red(" frozen") : isZero(owed) ? "" : paint.red(" in debt");
  return `${paint.bold(creditsText(available))} available in ${printable(accountId)}${mark}`;
}

function holdTable(holds: PushOf<"holds">["holds"], { paint, nowMilliseconds }: Look): string {
  return table(
    paint,
    [
      { title: "HOLD", of: (hold) => printable(hold.id) },
      { title: "AMOUNT", align: "decimal", of: (hold) => amount(hold.amount) },
      { title: "USED SO FAR", align: "decimal", of: (hold) => amount(hold.reported) },
      { title: "ENDS", of: (hold) => expiry(hold.expiresAt, nowMilliseconds) },
    ],
    holds,
    "",
  );
}

function entryTable(entries: readonly Entry[], { paint }: Look): string {
  return table(
    paint,
    [
      { title: "TIME", of: (entry) => clockTime(entry.at, "seconds") },
      { title: "KIND", of: (entry) => entry.kind },
      { title: "AMOUNT", align: "decimal", of: (entry) => amount(entry.amount) },
      { title: "AVAILABLE", align: "decimal", of: (entry) => amount(entry.availableAfter) },
      { title: "REFERENCE", of: (entry) => printable(entry.reference) },
    ],
    entries,
    "",
  );
}

/** One change as a line, for where there is no terminal. */
export function balanceLine({ available, held, owed }: PushOf<"balance">): string {
  const debt = isZero(owed) ? "" : `, ${amount(owed)} owed`;
  return `balance ${creditsText(available)} available, ${amount(held)} held${debt}`;
}

export function entryLine({ at, kind, amount: moved, reference }: Entry): string {
  return `${clockTime(at, "seconds")} ${kind} ${amount(moved)} ${printable(reference)}`;
}
