import type { BursarSocket } from "@bursar/client/socket";
import { credits, formatCredits } from "@bursar/contract/money";
import type { PushOf } from "@bursar/contract/socket/topics";
import type { AccountNews } from "./transport.ts";

type Payment = PushOf<"payments">["payments"][number];

/** Tells what happens to the account while a run goes on: every balance, and purchases and top-ups that come or fail.
 *  What was there before is no news. */
export class AccountWatch {
  readonly #tell: (news: AccountNews) => void;
  readonly #stops: readonly (() => void)[];
  /** The state that each payment was last told in; null before the first push. */
  #states: Map<string, string> | null = null;
  #toldMicro = 0n;

  constructor(socket: BursarSocket, tell: (news: AccountNews) => void) {
    this.#tell = tell;
    this.#stops = [
      socket.subscribeBalance(({ available, held, owed }) =>
        tell({ type: "balance", available, held, owed }),
      ),
      socket.subscribe("payments", ({ payments }) => this.#hear(payments)),
    ];
  }

  /** What the server says at the end: only what has not been told before is told now. */
  ended(usage: { readonly remainingBalance: string; readonly autoTopupAdded?: string | undefined }): void {
    const untold = credits(usage.autoTopupAdded ?? "0") - this.#toldMicro;
    if (untold > 0n) this.#tell({ type: "credits-added", credits: formatCredits(untold) });
    this.#tell({ type: "balance", available: usage.remainingBalance, held: "0", owed: "0" });
  }

  stop(): void {
    for (const stop of this.#stops) stop();
  }

  #hear(payments: readonly Payment[]): void {
    const before = this.#states;
    this.#states = new Map(payments.map(({ id, state }) => [id, newsOf(state)]));
    if (before === null) return;
    // The oldest first, as they happened.
    for (const payment of payments.toReversed()) {
      const { id, kind, url, failure } = payment;
      const state = newsOf(payment.state);
      if (state === "open" || before.get(id) === state) continue;
      if (state === "granted" && kind === "topup") this.#toldMicro += credits(payment.credits);
      this.#tell({
        ...{ type: "payment", kind, state, url },
        credits: payment.credits,
        message: failure?.message ?? null,
      });
    }
  }
}

/** What of a payment's states is worth telling: that the credits are there is told once. */
function newsOf(state: Payment["state"]): Extract<AccountNews, { type: "payment" }>["state"] | "open" {
  switch (state) {
    case "granted":
    case "confirmed":
      return "granted";
    case "requires_action":
    case "failed":
    case "reversed":
      return state;
    case "wanted":
    case "charging":
    case "canceled":
      return "open";
  }
}
