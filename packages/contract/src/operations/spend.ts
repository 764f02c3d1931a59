import { z } from "zod";
import { errorBody } from "../errors.ts";
import { operation } from "../operation.ts";
import { creditsText, feature, id, metadata, positiveAmount, usage } from "../shapes.ts";
import { checkWork } from "./balance.ts";
import { grantAnswer, grantBody } from "./grants.ts";
import { checkCost, holdAnswer, holdFields, releaseAnswer, settleAnswer, settleFields } from "./holds.ts";

const spendFields = z.strictObject({
  id: id.optional().describe("Your id for this spend; it is the idempotency key"),
  accountId: id.optional(),
  amount: positiveAmount.optional(),
  usage: usage.optional(),
  feature: feature.optional(),
  metadata: metadata.optional(),
});

export const spendAnswer = z.object({ id: z.string(), charged: creditsText, available: creditsText });

export const spend = operation({
  name: "spend",
  method: "post",
  path: "/v1/spend",
  access: "account",
  summary:
    "Charge work with a known price, exactly once under its id. Nothing is written when there is too little.",
  body: spendFields.superRefine(checkCost),
  status: 200,
  answer: spendAnswer,
  errors: [
    "account_unknown",
    "model_unknown",
    "key_conflict",
    "account_frozen",
    "in_debt",
    "cap_exceeded",
    "insufficient_credits",
  ],
});

const required = { id };

/** One operation of a batch. Grants need an admin key. */
export const batchOperation = z.discriminatedUnion("op", [
  spendFields.extend({ ...required, op: z.literal("spend") }).superRefine(checkCost),
  holdFields.extend({ ...required, op: z.literal("hold") }).superRefine(checkWork),
  settleFields.extend({ ...required, op: z.literal("settle") }).superRefine(checkCost),
  z.strictObject({ ...required, op: z.literal("release"), accountId: id.optional() }),
  grantBody.extend({ ...required, op: z.literal("grant") }),
]);

export const batchResult = z.union([
  z
    .object({ ok: z.literal(true) })
    .and(z.union([spendAnswer, holdAnswer, settleAnswer, releaseAnswer, grantAnswer])),
  z.object({ ok: z.literal(false), error: errorBody.shape.error }),
]);

export const batch = operation({
  name: "batch",
  method: "post",
  path: "/v1/batch",
  access: "account",
  summary:
    "Up to 1000 operations, each decided on its own, answered in order. A refusal does not stop the others.",
  body: z.strictObject({
    accountId: id.optional(),
    // Each operation is checked on its own: a malformed one is refused in its place, and the others go on.
    operations: z
      .array(z.unknown())
      .min(1, "must name at least one operation")
      .max(1000, "must hold at most 1000"),
  }),
  status: 200,
  answer: z.object({ results: z.array(batchResult) }),
  errors: ["account_unknown"],
});
