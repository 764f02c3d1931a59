import { credits, iso } from "@bursar/contract/shapes";
import { createBatch, csvOf } from "@bursar/engine/gift/batch";
import { redeemGift } from "@bursar/engine/gift/redeem";
import {
  type BatchRecord,
  type CardRecord,
  listBatches,
  listCards,
  voidCards,
} from "@bursar/engine/gift/store";
import { codeRefused } from "./codes.ts";
import type { Handler } from "./context.ts";
import { endsInThePast } from "./grants.ts";
import type { Problem } from "./problem.ts";

export const redeemGiftCard: Handler<"redeemGiftCard"> = async (call) => {
  const { deps, accountId, address, principal } = call;
  const outcome = await redeemGift(deps, { accountId, code: call.body.code, address, by: principal.by });
  if (outcome.kind !== "redeemed") return codeRefused(outcome);
  const { id, grantId, amount, duplicate } = outcome;
  return { repeated: duplicate, answer: { id, grantId, amount: credits(amount) } };
};

export const createGiftCards: Handler<"createGiftCards"> = async ({
  deps,
  body,
  principal,
  idempotencyKey,
}) => {
  const { count, amount, name = "", expiresAt = null } = body;
  const late = endsInThePast(expiresAt, deps.clock.now());
  if (late !== null) return late;
  const facts = { count, amount, name, expiresAt };
  const outcome = await createBatch(deps, { ...facts, by: principal.by, idempotencyKey });
  if (outcome.kind === "batch_exists") return batchExists(outcome.id);
  const { batch } = outcome;
  const cards = batch.cards.map(({ id, code }) => ({ id, code }));
  return { answer: { ...factsOf(batch), cards, csv: csvOf(batch) } };
};

function factsOf(batch: Omit<BatchRecord, "redeemed" | "voided">) {
  const { id, name, amount, count, expiresAt, createdAt, createdBy } = batch;
  const times = { expiresAt: iso(expiresAt), createdAt: iso(createdAt)! };
  return { id, name, amount: credits(amount), count, createdBy, ...times };
}

function stateOf(batch: BatchRecord) {
  const { redeemed, voided } = batch;
  return { ...factsOf(batch), redeemed, voided };
}

export const listGiftBatches: Handler<"listGiftBatches"> = async ({ deps }) => ({
  answer: { batches: (await listBatches(deps.pool)).map(stateOf) },
});

export const getGiftBatch: Handler<"getGiftBatch"> = async ({ deps, params }) => {
  const [batch] = await listBatches(deps.pool, params.id);
  if (batch === undefined) return giftUnknown(params.id);
  const cards = await listCards(deps.pool, batch.id);
  return { answer: { ...stateOf(batch), cards: cards.map(cardAnswer) } };
};

function cardAnswer({ id, redeemedBy, redeemedAt, voidedAt, voidReason }: CardRecord) {
  const ended = voidedAt === null ? ("open" as const) : ("void" as const);
  const state = redeemedBy === null ? ended : ("redeemed" as const);
  return { id, state, redeemedBy, redeemedAt: iso(redeemedAt), voidReason };
}

export const voidGiftCards: Handler<"voidGiftCards"> = async ({ deps, params, body, principal }) => {
  const { id } = params;
  const facts = { id, reason: body.reason, by: principal.by, at: deps.clock.now() };
  const counts = await voidCards(deps.pool, facts);
  return counts === null ? giftUnknown(id) : { answer: { id, ...counts } };
};

/** Codes that nobody has read are worth nothing to anybody: the batch is named, so that it can be voided. */
function batchExists(id: string): Problem {
  return {
    problem: "key_conflict",
    message: `This Idempotency-Key has made the batch ${id}, whose codes are not shown again: if nobody has them, void it, and ask under another`,
    param: "Idempotency-Key",
  };
}

function giftUnknown(id: string): Problem {
  return { problem: "gift_unknown", message: `There is no gift card or batch ${id}`, param: "id" };
}
