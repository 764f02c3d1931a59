import type { Log } from "@bursar/engine/deps";
import type { OpenHold } from "./budget.ts";
import type { Meter } from "./meter.ts";
import type { Bill } from "./settlements.ts";
import type { Usage } from "./usage.ts";

export interface Delivered {
  readonly hold: OpenHold;
  readonly meter: Meter;
  /** What the upstream said last; null when it said nothing that can be billed. */
  readonly reported: Usage | null;
  /** The upstream said it at the end, about everything. */
  readonly isFinal: boolean;
  readonly ending: string;
}

/** What was delivered is billed: at the upstream's own count if there is one, else at ours. */
export async function billFor(delivered: Delivered, log: Log): Promise<Bill> {
  const { reported, isFinal, ending, meter } = delivered;
  if (reported !== null && isFinal && isCount(reported, meter)) {
    warnIfOdd(delivered, reported, log);
    return { usage: reported, source: "upstream", ending };
  }
  const counted = await meter.total();
  const usage: Usage = {
    inputTokens: reported?.inputTokens || (await delivered.hold.prompt.counted()),
    cachedInputTokens: reported?.cachedInputTokens ?? 0,
    outputTokens: Math.max(counted, reported?.outputTokens ?? 0),
    hiddenTokens: reported?.hiddenTokens ?? 0,
  };
  return { usage, source: "gateway", ending };
}

/** Some providers send zeros, or leave out what they did not count. What was asked, and what has come, was something. */
function isCount({ inputTokens, outputTokens }: Usage, meter: Meter): boolean {
  return inputTokens > 0 && (outputTokens > 0 || meter.isEmpty);
}

/** Vocabularies differ by half, not by this. */
const ODD_FACTOR = 4;
const SMALL_TOKENS = 32;

/** The upstream's count is what it bills us, so it stands; but somebody should know. */
function warnIfOdd({ hold, meter }: Delivered, reported: Usage, log: Log): void {
  const shown = reported.outputTokens - reported.hiddenTokens;
  const isTooLittle = (shown + SMALL_TOKENS) * ODD_FACTOR < meter.atMost;
  const isTooMuch = shown > (meter.atMost + SMALL_TOKENS) * ODD_FACTOR;
  if (!isTooLittle && !isTooMuch) return;
  const { requestId, model } = hold;
  log.warn(
    { requestId, model, reported, counted: meter.atMost },
    "an upstream's usage is far from what it sent",
  );
}
