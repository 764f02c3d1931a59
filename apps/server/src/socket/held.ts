import { setTimeout as delay } from "node:timers/promises";
import { holdIdOf } from "@bursar/agent/bill/purse";
import type { Journal } from "@bursar/agent/journal";
import { billOfKept, isModelCall } from "@bursar/agent/kept";
import { isSuspended, Suspended } from "@bursar/agent/suspend";
import type { AccountId, HoldId } from "@bursar/contract/ids";
import { larger, type MicroCredits } from "@bursar/contract/money";
import type { Deps } from "@bursar/engine/deps";
import { closeLeftHolds } from "@bursar/engine/hold/left";
import { isUnavailable } from "@bursar/engine/ledger/unavailable";
import type { ClaimOutcome, PromptHands } from "@bursar/engine/prompt/hands";
import { type HeldPrompt, PromptLost } from "@bursar/engine/prompt/held";
import { receipt } from "@bursar/engine/receipt/receipt";
import { inLife } from "./chat-runner.ts";

const POLL_MILLISECONDS = 250;
/** Longer than a process is believed to live that is not heard of, and than one needs to let go. */
const PATIENCE_MILLISECONDS = 30_000;

/** Takes the prompt, and waits while another process has it, or the database is away. Outcomes: as of a claim;
 *  `running` when the patience is over, or this process ends. Throws: the database is unreachable, and was for as long;
 *  that is a no. */
export async function claimInTime(
  hands: Pick<PromptHands, "claim">,
  request: Parameters<PromptHands["claim"]>[0],
  signal: AbortSignal,
): Promise<ClaimOutcome> {
  const end = performance.now() + PATIENCE_MILLISECONDS;
  for (;;) {
    const isOver = performance.now() > end;
    const outcome = await hands.claim(request).catch((error: unknown) => {
      if (isOver || !isUnavailable(error)) throw error;
      return { kind: "running" } as const;
    });
    if (outcome.kind !== "running" || isOver || isSuspended(signal)) return outcome;
    await delay(POLL_MILLISECONDS);
  }
}

/** What runs know of a prompt's earlier lives. */
export function journalOf(held: HeldPrompt, cut: MicroCredits): Journal {
  return {
    life: held.life,
    cut,
    find: (name) => {
      const body = held.find(name);
      return body === undefined ? undefined : (JSON.parse(body) as unknown);
    },
    keep: async (name, value) => {
      try {
        await held.keep(name, JSON.stringify(value));
      } catch (error) {
        throw error instanceof PromptLost ? new Suspended(error.message) : error;
      }
    },
  };
}

/** Who ran it before may have been killed: whatever it has left open is settled at what was reported of it, and a step
 *  that is kept at its own cost. Returns what steps have cost that were cut: all that is billed, less the steps that are
 *  kept. */
export async function settleCut(
  deps: Pick<Deps, "ledger" | "pool" | "prices">,
  held: HeldPrompt,
  run: { readonly payer: AccountId; readonly by: string; readonly isAgent: boolean },
): Promise<MicroCredits> {
  const { payer: accountId, by, isAgent } = run;
  const { requestId } = held.hand;
  // An agent's own hold is its budget, which goes on.
  const prefix = isAgent ? `${holdIdOf(requestId)}.` : holdIdOf(requestId);
  const bills = [...held.steps()]
    .filter(([name]) => isModelCall(name))
    .map(([, body]) => billOfKept(JSON.parse(body)))
    .filter((bill) => bill !== null);
  const costs = new Map<HoldId, MicroCredits>(
    bills.map(({ callId, cost }) => [holdIdOf(`${requestId}.${callId}`), cost]),
  );
  await closeLeftHolds(deps, { accountId, prefix, by, requestId, costs });
  const lives = Array.from({ length: held.life - 1 }, (_, before) => inLife(requestId, before + 1));
  let cut = 0n;
  for (const name of isAgent ? [requestId] : lives)
    cut += (await receipt(deps, accountId, name))?.charged ?? 0n;
  for (const { cost } of bills) cut -= cost;
  return larger(cut, 0n);
}
