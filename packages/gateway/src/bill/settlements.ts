import type { MicroCredits } from "@bursar/contract/money";
import { settleInFull } from "@bursar/engine/hold/late";
import { release } from "@bursar/engine/hold/settle";
import { costOf } from "@bursar/engine/price/decide";
import type { EngineDeps, Principal } from "../principal.ts";
import type { OpenHold } from "./budget.ts";
import type { Usage } from "./usage.ts";

/** What a call is charged for, and who counted it. */
export interface Bill {
  readonly usage: Usage;
  readonly source: "upstream" | "gateway";
  /** How the call ended, for the receipt. */
  readonly ending: string;
}

export type Settlement =
  | { readonly kind: "settled"; readonly cost: MicroCredits; readonly remaining: MicroCredits }
  /** The ledger cannot be asked just now; it is asked again until it answers. */
  | { readonly kind: "pending"; readonly cost: MicroCredits };

export interface Settlements {
  /** Charges exactly what was used. Never throws and never gives up: what was delivered is billed. */
  settle(hold: OpenHold, bill: Bill): Promise<Settlement>;
  /** Gives everything back: nothing was delivered. */
  release(hold: Pick<OpenHold, "holdId" | "principal" | "requestId">): Promise<void>;
  /** Waits for what is pending, but not longer than this. Resolves to how many are still open. */
  drain(milliseconds: number): Promise<number>;
}

const FIRST_DELAY_MILLISECONDS = 100;
const LONGEST_DELAY_MILLISECONDS = 5000;
/** With this many waiting the database has been away for long. More are left to the sweep, at what was reported. */
const PENDING_LIMIT = 50_000;

export function openSettlements(engine: EngineDeps): Settlements {
  const pending = new Set<Promise<void>>();
  let isClosing = false;

  const later = (facts: object, work: () => Promise<void>) => {
    if (pending.size >= PENDING_LIMIT) return engine.log.error(facts, "settlement left to the sweep");
    engine.log.warn(facts, "settlement pending");
    const done = insist(work, () => isClosing).catch((error: unknown) =>
      engine.log.error({ ...facts, err: error }, "settlement left to the sweep"),
    );
    pending.add(done);
    void done.finally(() => pending.delete(done));
  };

  return {
    settle: async (hold, bill) => {
      try {
        return await settleNow(engine, hold, bill);
      } catch (error) {
        later({ ...factsOf(hold), err: error }, async () => void (await settleNow(engine, hold, bill)));
        return { kind: "pending", cost: costOf(hold.rates, bill.usage) };
      }
    },
    release: async (hold) => {
      const work = () => releaseNow(engine, hold);
      await work().catch((error: unknown) => later({ ...factsOf(hold), err: error }, work));
    },
    drain: async (milliseconds) => {
      const deadline = setTimeout(() => {
        isClosing = true;
      }, milliseconds);
      while (pending.size > 0 && !isClosing)
        await Promise.race([...pending, delay(FIRST_DELAY_MILLISECONDS)]);
      clearTimeout(deadline);
      isClosing = true;
      return pending.size;
    },
  };
}

/** Again and again under the same key, which makes it safe, ever more slowly. */
async function insist(work: () => Promise<void>, isOver: () => boolean): Promise<void> {
  for (let wait = FIRST_DELAY_MILLISECONDS; ; wait = Math.min(wait * 2, LONGEST_DELAY_MILLISECONDS)) {
    await delay(wait * (0.5 + Math.random() / 2));
    try {
      return await work();
    } catch (error) {
      if (isOver()) throw error;
    }
  }
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}

async function settleNow(engine: EngineDeps, hold: OpenHold, bill: Bill): Promise<Settlement> {
  const { hiddenTokens: _, ...usage } = bill.usage;
  const { keyId, caps, run } = hold.principal;
  const outcome = await settleInFull(
    engine,
    hold.book,
    {
      ...closingOf(hold),
      keyId: keyId ?? undefined,
      cost: { kind: "usage", model: hold.model, ...usage },
      metadata: { countedBy: bill.source, ending: bill.ending },
    },
    { parentId: run?.holdId, caps },
  );
  if (outcome.kind === "settled")
    return { kind: "settled", cost: outcome.charged, remaining: outcome.available };
  // Only if somebody has closed the hold before, and the account cannot be charged for the rest.
  engine.log.error({ ...factsOf(hold), outcome: outcome.kind }, "the hold was closed before its settlement");
  return { kind: "pending", cost: costOf(hold.rates, usage) };
}

async function releaseNow(
  engine: EngineDeps,
  hold: Pick<OpenHold, "holdId" | "principal" | "requestId">,
): Promise<void> {
  await release(engine, closingOf(hold));
}

function closingOf(hold: { holdId: OpenHold["holdId"]; requestId: string; principal: Principal }) {
  const { accountId, by } = hold.principal;
  return { accountId, by, holdId: hold.holdId, requestId: hold.requestId };
}

function factsOf(hold: { holdId: string; requestId: string }): object {
  return { holdId: hold.holdId, requestId: hold.requestId };
}
