import type { UsageRecord } from "../ledger/command.ts";
import type { PriceBook } from "../price/decide.ts";
import type { Cost } from "../price/work.ts";

/** The statistics row of a charge that was counted in tokens. */
export function usageRecordOf(
  cost: Cost,
  book: PriceBook,
  keyId: string | undefined,
): UsageRecord | undefined {
  if (cost.kind !== "usage") return undefined;
  const { model, inputTokens, cachedInputTokens, outputTokens } = cost;
  return {
    model,
    inputTokens,
    cachedInputTokens,
    outputTokens,
    priceVersion: book.version,
    keyId: keyId ?? null,
  };
}
