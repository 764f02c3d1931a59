import { newGiftBatchId, newGiftCardId } from "@bursar/contract/ids";
import { formatInstant, type Instant } from "@bursar/contract/instant";
import { formatCredits, type MicroCredits } from "@bursar/contract/money";
import { withTransaction } from "@bursar/database/transaction";
import type { Deps } from "../deps.ts";
import { digestOf } from "../digest.ts";
import { hashOfGiftCode, newGiftCode } from "./code.ts";
import { type BatchRecord, insertBatch, insertCards } from "./store.ts";

export interface CreateBatchRequest {
  readonly name: string;
  readonly count: number;
  /** Of each card. */
  readonly amount: MicroCredits;
  readonly expiresAt: Instant | null;
  readonly by: string;
  /** Makes one batch, whoever asks again. */
  readonly idempotencyKey?: string | undefined;
}

export type CreateBatchOutcome =
  | { readonly kind: "created"; readonly batch: NewBatch }
  /** Under this idempotency key. Its codes were in the first answer alone. */
  | { readonly kind: "batch_exists"; readonly id: string };

export interface NewBatch extends Omit<BatchRecord, "redeemed" | "voided"> {
  readonly cards: readonly { readonly id: string; readonly code: string }[];
}

/** Makes cards that nobody can guess. Their codes are in this answer and nowhere else. */
export async function createBatch(
  deps: Pick<Deps, "pool" | "clock">,
  { by, idempotencyKey, ...facts }: CreateBatchRequest,
): Promise<CreateBatchOutcome> {
  const id = idempotencyKey === undefined ? newGiftBatchId() : batchIdFor(idempotencyKey);
  const batch = { ...facts, id, createdAt: deps.clock.now(), createdBy: by };
  const cards = Array.from({ length: facts.count }, () => ({ id: newGiftCardId(), code: newGiftCode() }));
  const hashes = await Promise.all(cards.map(({ code }) => hashOfGiftCode(code)));
  return withTransaction(deps.pool, async (client) => {
    if (!(await insertBatch(client, batch))) return { kind: "batch_exists", id };
    await insertCards(client, { batchId: id, ids: cards.map((card) => card.id), hashes });
    return { kind: "created", batch: { ...batch, cards } };
  });
}

/** The primary key sees to it that one request makes one batch: there is nothing else to look up or to write. */
function batchIdFor(idempotencyKey: string): string {
  return `batch_${digestOf(idempotencyKey)}`;
}

/** A file for whoever prints or mails the cards. Nothing in it needs quoting. */
export function csvOf({ cards, amount, expiresAt }: NewBatch): string {
  const terms = `${formatCredits(amount)},${expiresAt === null ? "" : formatInstant(expiresAt)}`;
  const lines = cards.map(({ id, code }) => `${id},${code},${terms}\n`);
  return `id,code,amount,expires_at\n${lines.join("")}`;
}
