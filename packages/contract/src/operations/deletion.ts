import { z } from "zod";
import { errorCode } from "../errors.ts";
import { operation } from "../operation.ts";
import { amountOrZero, creditsText, instantText } from "../shapes.ts";

const LONGEST_PASSWORD = 128;

export const previewDeletion = operation({
  name: "previewDeletion",
  method: "get",
  path: "/v1/deletion",
  access: "person",
  summary:
    "What it would mean to be deleted: what is lost, what ends, and what stands in the way. Changes nothing. For people, not for keys.",
  status: 200,
  answer: z.object({
    accountId: z.string(),
    username: z.string().nullable(),
    email: z.string(),
    loses: creditsText.describe("What is available and what is held: to be confirmed word for word"),
    available: creditsText,
    held: creditsText,
    owed: creditsText.describe("A debt stays in the books, and stands in nobody's way"),
    returnable: z
      .array(z.object({ paymentId: z.string(), credits: creditsText, until: instantText }))
      .describe("Purchases whose unused credits can be given back for money before: POST …/refund-unused"),
    subscription: z
      .object({
        id: z.string(),
        name: z.string(),
        endsAt: instantText.nullable().describe("null: at once, for nothing is paid"),
      })
      .nullable()
      .describe("The plan that would be canceled, and when it would end"),
    topUp: z.boolean().describe("Whether auto top-up is on, and would be switched off"),
    holds: z.int().describe("Work under way, which is finished and charged"),
    runs: z.int(),
    organizations: z.array(z.object({ id: z.string(), name: z.string(), role: z.string() })),
    stoppedBy: z
      .array(z.object({ code: errorCode, message: z.string() }))
      .describe("Why it would be refused now; empty: it would not"),
    proof: z
      .object({
        password: z.boolean().describe("false: sign in anew instead, in a browser"),
        totpCode: z.boolean(),
      })
      .describe("What proves that it is you"),
  }),
  errors: ["person_required"],
});

export const deletePerson = operation({
  name: "deletePerson",
  method: "post",
  path: "/v1/deletion",
  access: "person",
  summary:
    "Be deleted, for good: all sessions and keys end at once, nothing is charged any more, and whatever says who you were goes. The account's books stay under its id.",
  body: z.strictObject({
    confirm: amountOrZero.describe(
      "The credits that you know to be lost, as `loses` of the preview says: with more it is refused",
    ),
    password: z.string().max(LONGEST_PASSWORD).optional().describe("Yours, where you have one"),
    totpCode: z.string().optional().describe("Six digits, where you have an authenticator"),
  }),
  status: 200,
  answer: z.object({
    accountId: z.string().describe("What the books are kept under"),
    state: z
      .enum(["deleted", "under_way"])
      .describe("under_way: the payment provider does not answer; it comes to its end by itself"),
  }),
  errors: [
    "person_required",
    "is_administrator",
    "owner_needed",
    "more_is_lost",
    "sign_in_required",
    "password_refused",
    "totp_refused",
    "rate_limited",
  ],
});
