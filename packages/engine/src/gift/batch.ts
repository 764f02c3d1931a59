import { newGiftBatchId, newGiftCardId } from "@bursar/contract/ids";
import { formatInstant, type Instant } from "@bursar/contract/instant";
import { formatCredits, type MicroCredits } from "@bursar/contract/money";
import { withTransaction } from "@bursar/database/transaction";
import type { Deps } from "../deps.ts";
import { hashOfGiftCode, newGiftCode } from "./code.ts";
import { type BatchRecord, insertBatch, insertCards } from "./store.ts";

export interface CreateBatchRequest {
  readonly name: string;
  readonly count: number;
  /** Of each card. */
  readonly amount: MicroCredits;
  readonly expiresAt: Instant | null;
  readonly by: string;
}

export interface NewBatch extends Omit<BatchRecord, "redeemed" | "voided"> {
  readonly cards: readonly { readonly id: string; readonly code: string }[];
}

/** Makes cards that nobody can guess. Their codes are in this answer and nowhere else. */
export async function createBatch(
  deps: Pick<Deps, "pool" | "clock">,
  { by, ...facts }: CreateBatchRequest,
): Promise<NewBatch> {
  const batch = { ...facts, id: newGiftBatchId(), createdAt: deps.clock.now(), createdBy: by };
  const cards = Array.from({ length: facts.count }, () => ({ id: newGiftCardId(), code: newGiftCode() }));
  const hashes = await Promise.all(cards.map(({ code }) => hashOfGiftCode(code)));
  await withTransaction(deps.pool, async (client) => {
    await insertBatch(client, batch);
    await insertCards(client, { batchId: batch.id, ids: cards.map(({ id }) => id), hashes });
  });
  return { ...batch, cards };
}

/** A file for whoever prints or mails the cards. Nothing in it needs quoting. */
export function csvOf({ cards, amount, expiresAt }: NewBatch): string {
  const terms = `${formatCredits(amount)},${expiresAt === null ? "" : formatInstant(expiresAt)}`;
  const lines = cards.map(({ id, code }) => `${id},${code},${terms}\n`);
  return `id,code,amount,expires_at\n${lines.join("")}`;
}
