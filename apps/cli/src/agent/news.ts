import { credits, formatCredits } from "@bursar/contract/money";
import { creditsText, isZero } from "../output/amount.ts";
import type { Paint } from "../output/paint.ts";
import type { BandWatch } from "./bands.ts";
import { printable } from "./diff.ts";
import type { AccountNews } from "./transport.ts";

/** Puts news of the account into lines: a warning when a band is entered, the balance when it grows, and what became
 *  of purchases and top-ups. */
export class NewsTeller {
  readonly #bands: BandWatch;
  readonly #paint: Paint;
  #left: bigint | null = null;

  constructor(bands: BandWatch, paint: Paint) {
    this.#bands = bands;
    this.#paint = paint;
  }

  /** Whether balances come as news, so that nobody need guess them from what a step has left. */
  get knowsBalance(): boolean {
    return this.#left !== null;
  }

  linesOf(news: AccountNews): string[] {
    switch (news.type) {
      case "balance":
        return this.#balance(news);
      case "resumed":
        return [this.#paint.yellow(`The run was interrupted, and goes on${costOfCut(news.cut)}.`)];
      case "credits-added":
        return [this.#paint.green(`${creditsText(news.credits)} were bought to go on.`)];
      case "payment":
        return [this.#payment(news)];
    }
  }

  /** What runs have reserved is not spent yet: it counts as left. */
  #balance({ available, held, owed }: Extract<AccountNews, { type: "balance" }>): string[] {
    const before = this.#left;
    const left = credits(available) + credits(held) - credits(owed);
    this.#left = left;
    const text = formatCredits(left);
    const grown = before !== null && left > before ? [`Balance: ${creditsText(text)}.`] : [];
    const band = this.#bands.take(text, this.#paint);
    return band === null ? grown : [...grown, band];
  }

  #payment({ kind, state, url, message, ...payment }: Extract<AccountNews, { type: "payment" }>): string {
    const what = kind === "topup" ? "auto top-up" : "purchase";
    const text = creditsText(payment.credits);
    switch (state) {
      case "granted":
        return this.#paint.green(`${text} were bought${kind === "topup" ? " by auto top-up" : ""}.`);
      case "requires_action":
        return this.#paint.yellow(`The ${what} of ${text} must be confirmed: ${printable(url ?? "")}`);
      case "failed":
        return this.#paint.red(`The ${what} of ${text} failed: ${printable(message ?? "")}`);
      case "reversed":
        return this.#paint.red(`The ${what} of ${text} was taken back.`);
    }
  }
}

/** Nothing that was cut before it cost anything needs words. */
function costOfCut(cut: string): string {
  return isZero(cut) ? "" : `, and the step that was cut (${creditsText(cut)}) begins again`;
}
