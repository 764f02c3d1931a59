import { credits } from "@bursar/contract/money";
import { creditsText } from "../output/amount.ts";
import type { Paint } from "../output/paint.ts";

type Band = "plenty" | "fair" | "low" | "none";

/** How urgent a balance is: 100 credits and more, 20 to 99, 1 to 19, nothing or a debt. */
export function bandOf(balance: string): Band {
  const micro = credits(balance);
  if (micro <= 0n) return "none";
  if (micro < credits("20")) return "low";
  return micro < credits("100") ? "fair" : "plenty";
}

/** What is said when a balance comes into a band; null for plenty. */
export function bandMessage(balance: string, paint: Paint): string | null {
  const left = creditsText(balance);
  switch (bandOf(balance)) {
    case "plenty":
      return null;
    case "fair":
      return paint.dim(`${left} left.`);
    case "low":
      return paint.yellow(`Only ${left} left: top up soon, or the agent stops in the middle.`);
    case "none":
      return paint.red(`No credits are left (${left}): the agent stops until the account is topped up.`);
  }
}

/** Says each band once, when it is entered. */
export class BandWatch {
  #last: Band = "plenty";

  /** The message, where this balance is in another band than the one before. */
  take(balance: string, paint: Paint): string | null {
    const band = bandOf(balance);
    if (band === this.#last) return null;
    this.#last = band;
    return bandMessage(balance, paint);
  }
}
