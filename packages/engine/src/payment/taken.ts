import { divideRoundingDown, type MicroCredits, smaller } from "@bursar/contract/money";
import type { Payment } from "./payment.ts";

/** Which grants credits are taken from, and how much of each. */
export type Draws = readonly (readonly [grantId: string, credits: MicroCredits])[];

export interface TakenRefund {
  readonly id: string;
  readonly credits: MicroCredits;
  readonly failed: boolean;
  readonly draws: Draws;
}

/** What refunds and lost disputes have taken of a payment, and what of that came again. */
export interface Taken {
  readonly refunds: readonly TakenRefund[];
  readonly disputes: readonly Draws[];
  /** What came again of lost disputes that were won on appeal, by which grants. */
  readonly won?: Draws;
}

/** The grant by which a failed refund's credits were given again. */
export const regrantIdOf = (refundId: string) => `grant_refund_failed_${refundId}`;

/** The grant by which the credits of a lost dispute were given again that was won on appeal. */
export const wonGrantIdOf = (roundId: string) => `grant_dispute_won_${roundId}`;

/** Under which keys the credits are taken. */
export const refundKeyOf = ({ id }: Pick<TakenRefund, "id">) => `refund:${id}`;
export const disputeKeyOf = ({ id }: { readonly id: string }) => `dispute:${id}`;
/** What is taken of one grant has a key of its own. */
export const drawKeyOf = (key: string, index: number) => (index === 0 ? key : `${key}:${index}`);

/** Who takes, and why. */
export const LOST = { by: "system:payments", note: "The dispute was lost" };

/** By which grants a payment has given its credits: its own, then what was given again after refunds that failed and
 *  disputes that were won on appeal. */
export function givenBy(
  payment: Pick<Payment, "grantId" | "credits">,
  { refunds, won = [] }: Pick<Taken, "refunds" | "won">,
): Draws {
  const again = refunds.filter(({ failed }) => failed);
  return [
    [payment.grantId, payment.credits],
    ...[...again.map(({ id, credits }) => [regrantIdOf(id), credits] as const), ...won].filter(
      ([, credits]) => credits > 0n,
    ),
  ];
}

/** Takes `amount` from what a payment has given and nobody has taken yet: first what is `held` for it, then in the order
 *  in which it was given. As far as that goes. Pure. */
export function allocate(
  payment: Pick<Payment, "grantId" | "credits">,
  taken: Taken,
  amount: MicroCredits,
  held: Draws = [],
): Draws {
  const given = givenBy(payment, taken);
  const all = [...taken.refunds.flatMap(({ draws }) => draws), ...taken.disputes.flat()];
  const left = new Map(given.map(([grantId, credits]) => [grantId, credits - partOf(all, grantId)]));
  const draws = new Map<string, MicroCredits>();
  let missing = amount;
  for (const [grantId, most] of [...held, ...given]) {
    const before = draws.get(grantId) ?? 0n;
    const part = smaller(smaller(most, missing), (left.get(grantId) ?? 0n) - before);
    if (part <= 0n) continue;
    draws.set(grantId, before + part);
    missing -= part;
  }
  return [...draws];
}

function partOf(draws: Draws, grantId: string): MicroCredits {
  return draws.reduce((sum, [from, part]) => (from === grantId ? sum + part : sum), 0n);
}

export const sumOf = (draws: Draws): MicroCredits => draws.reduce((sum, [, part]) => sum + part, 0n);

/** The credits that a part of the money has bought: rounded down, and all of them for all of it. */
export function proportion(
  { credits, amount }: Pick<Payment, "credits" | "amount">,
  part: number,
): MicroCredits {
  return part >= amount ? credits : divideRoundingDown(credits * BigInt(part), BigInt(amount));
}

export function drawsToJson(draws: Draws): string {
  return JSON.stringify(draws.map(([grantId, credits]) => [grantId, String(credits)]));
}

export function drawsFromJson(stored: readonly (readonly [string, string])[]): Draws {
  return stored.map(([grantId, credits]) => [grantId, BigInt(credits)]);
}
