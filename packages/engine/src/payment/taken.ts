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

/** The grant by which a failed refund's credits were given again. */
export const regrantIdOf = (refundId: string) => `grant_refund_failed_${refundId}`;

/** Takes `amount` from what a payment has given and nobody has taken yet: first its own grant, then what was given again
 *  after refunds that failed. As far as that goes. Pure. */
export function allocate(
  payment: Pick<Payment, "grantId" | "credits">,
  taken: { readonly refunds: readonly TakenRefund[]; readonly disputes: readonly Draws[] },
  amount: MicroCredits,
): Draws {
  const given: Draws = [
    [payment.grantId, payment.credits],
    ...taken.refunds
      .filter(({ failed }) => failed)
      .map(({ id, credits }) => [regrantIdOf(id), credits] as const),
  ];
  const all = [...taken.refunds.flatMap(({ draws }) => draws), ...taken.disputes.flat()];
  const draws: [string, MicroCredits][] = [];
  let missing = amount;
  for (const [grantId, credits] of given) {
    const gone = all.reduce((sum, [from, part]) => (from === grantId ? sum + part : sum), 0n);
    const part = smaller(credits - gone, missing);
    if (part <= 0n) continue;
    draws.push([grantId, part]);
    missing -= part;
  }
  return draws;
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
