import type { Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type { Result } from "./command.ts";
import type { EntryKind } from "./kinds.ts";

/** What a result is read from: the rows of one group, in order. */
export interface ResultRow {
  readonly seq: bigint;
  readonly kind: EntryKind;
  readonly amount: MicroCredits;
  readonly holdAfter: MicroCredits | null;
  readonly expiresAt: Instant | null;
  readonly availableAfter: MicroCredits;
  readonly heldAfter: MicroCredits;
  readonly owedAfter: MicroCredits;
}

/** The result of a command, from its entries alone: so the first answer and every repetition are one thing. */
export function resultOf(rows: readonly ResultRow[]): Result {
  const first = rows[0];
  const last = rows.at(-1);
  if (first === undefined || last === undefined) throw new Error("an entry group is never empty");
  let holdAmount: MicroCredits | null = null;
  let charged = 0n;
  let released = 0n;
  let overrun = 0n;
  let repaid = 0n;
  let expired = 0n;
  for (const { kind, amount, holdAfter } of rows) {
    holdAmount = holdAfter ?? holdAmount;
    if (kind === "settle" || kind === "spend" || kind === "overrun") charged += amount;
    if (kind === "overrun") overrun += amount;
    else if (kind === "release") released += amount;
    else if (kind === "repay") repaid += amount;
    else if (kind === "expire") expired += amount;
  }
  return {
    seq: last.seq,
    amount: first.amount,
    charged,
    released,
    overrun,
    repaid,
    expired,
    available: last.availableAfter,
    held: last.heldAfter,
    owed: last.owedAfter,
    holdAmount,
    expiresAt: first.expiresAt,
  };
}
