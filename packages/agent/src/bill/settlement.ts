import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "@bursar/engine/deps";
import { settleInFull } from "@bursar/engine/hold/late";
import { release } from "@bursar/engine/hold/settle";
import { costOf } from "@bursar/engine/price/decide";
import type { CallUsage, Charge } from "./billing.ts";
import type { OpenCall } from "./open-call.ts";
import { type BillingDeps, FEATURE, type RunBillingRequest, signedBy } from "./purse.ts";

/** Ends a call's hold: by the provider's count, else by ours. Nothing heard and nothing reported: released, unless whoever
 *  asked has left. Never throws. */
export async function closeCall(
  deps: BillingDeps,
  request: RunBillingRequest,
  open: OpenCall,
  { reported, isLeft }: { readonly reported: CallUsage | null; readonly isLeft: boolean },
): Promise<Charge> {
  const { call, book, rates, holdId, parentId, estimate } = open.facts;
  const closing = { ...signedBy(request), holdId };
  const facts = { runId: request.runId, holdId };
  if (reported === null && open.output.length === 0 && !isLeft) {
    const released = await insist(deps.log, facts, () => release(deps, closing));
    const remaining = released?.kind === "released" ? released.available : null;
    return { cost: 0n, remaining, inputTokens: 0, outputTokens: 0 };
  }
  if (reported !== null) estimate.learn(call, reported.inputTokens);
  const isWhole = reported !== null && isCount(reported, open);
  const usage = isWhole ? reported : await counted(open, reported);
  const { inputTokens, outputTokens } = usage;
  const metadata = {
    ...{ run: request.runId, agent: call.agent, call: call.callId },
    countedBy: isWhole ? "upstream" : "bursar",
  };
  const settled = await insist(deps.log, facts, () =>
    settleInFull(
      deps,
      book,
      { ...closing, metadata, cost: { kind: "usage", model: call.model, ...usage } },
      { parentId: parentId ?? undefined, feature: FEATURE, caps: request.payer.caps },
    ),
  );
  if (settled?.kind === "settled")
    return { cost: settled.charged, remaining: settled.available, inputTokens, outputTokens };
  if (settled !== null)
    deps.log.error(
      { ...facts, outcome: settled.kind },
      "the hold was closed before its settlement, and the rest could not be charged",
    );
  return { cost: costOf(rates, usage), remaining: null, inputTokens, outputTokens };
}

/** Some providers send zeros, or leave out what they did not count. What was asked, and what has come, was something. */
function isCount({ inputTokens, outputTokens }: CallUsage, { output }: OpenCall): boolean {
  return inputTokens > 0 && (outputTokens > 0 || output.length === 0);
}

/** What came of a stream that was cut, or whose provider did not count all of it. */
async function counted({ facts, output }: OpenCall, reported: CallUsage | null): Promise<CallUsage> {
  const { call, estimate } = facts;
  return {
    inputTokens: reported?.inputTokens || (await estimate.countedInput(call)),
    cachedInputTokens: reported?.cachedInputTokens ?? 0,
    outputTokens: Math.max(await estimate.countedOutput(output), reported?.outputTokens ?? 0),
  };
}

const TRIES = 6;
const FIRST_DELAY_MILLISECONDS = 200;

/** Again and again under the same key, which makes it safe. null: the sweep will do it, at what was reported. */
export async function insist<Outcome>(
  log: Log,
  facts: object,
  work: () => Promise<Outcome>,
): Promise<Outcome | null> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (tries === TRIES) {
        log.error({ ...facts, err: error }, "left to the sweep");
        return null;
      }
      await delay(FIRST_DELAY_MILLISECONDS * 2 ** (tries - 1));
    }
  }
}
