import type { UsageRecord } from "../ledger/command.ts";
import type { PriceBook } from "../price/decide.ts";
import type { Cost } from "../price/work.ts";

/** Who used something, as the command names them. */
interface User {
  readonly keyId?: string | undefined;
  readonly by: string;
}

/** The statistics row of a charge that was counted in tokens. */
export function usageRecordOf(cost: Cost, book: PriceBook, { keyId, by }: User): UsageRecord | undefined {
  if (cost.kind !== "usage") return undefined;
  const { model, inputTokens, cachedInputTokens, outputTokens } = cost;
  return {
    model,
    inputTokens,
    cachedInputTokens,
    outputTokens,
    priceVersion: book.version,
    keyId: keyId ?? null,
    personId: personOf(by),
  };
}

const PERSON = "user:";

function personOf(by: string): string | null {
  return by.startsWith(PERSON) ? by.slice(PERSON.length) : null;
}
