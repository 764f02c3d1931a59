/** Amounts inside Bursar: whole micro-credits as bigint. 1 credit = 1,000,000 micro-credits. */
export type MicroCredits = bigint;

export const MICRO_CREDITS_PER_CREDIT = 1_000_000n;

/** The largest amount one command may carry: a billion credits. An account's int8 holds nine thousand of them. */
export const MAX_AMOUNT: MicroCredits = 1_000_000_000n * MICRO_CREDITS_PER_CREDIT;

const CREDITS_SHAPE = /^(-?)(\d{1,13})(?:\.(\d{1,6}))?$/;

/** Reads a decimal string of credits ("12.5"), at most 6 decimals; null for anything else. */
export function parseCredits(text: string): MicroCredits | null {
  const match = CREDITS_SHAPE.exec(text);
  if (match === null) return null;
  const [, sign, whole, fraction = ""] = match;
  const micro = BigInt(whole!) * MICRO_CREDITS_PER_CREDIT + BigInt(fraction.padEnd(6, "0"));
  return sign === "-" ? -micro : micro;
}

/** For amounts written in code, tests and seeds; throws on a malformed one. */
export function credits(text: string): MicroCredits {
  const micro = parseCredits(text);
  if (micro === null) throw new Error(`not an amount of credits: "${text}"`);
  return micro;
}

/** The shortest exact decimal string: "12.5", "0.000001", "-3". */
export function formatCredits(micro: MicroCredits): string {
  const absolute = micro < 0n ? -micro : micro;
  const whole = absolute / MICRO_CREDITS_PER_CREDIT;
  const fraction = (absolute % MICRO_CREDITS_PER_CREDIT).toString().padStart(6, "0").replace(/0+$/, "");
  return `${micro < 0n ? "-" : ""}${whole}${fraction === "" ? "" : `.${fraction}`}`;
}

/** Rounds against the payer, so that no call is ever free by rounding. Both arguments positive or zero. */
export function divideRoundingUp(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}

/** Rounds in the payer's favour: what is surely affordable. Both arguments positive or zero. */
export function divideRoundingDown(dividend: bigint, divisor: bigint): bigint {
  return dividend / divisor;
}

export function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

export function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
