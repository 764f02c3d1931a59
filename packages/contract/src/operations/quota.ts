import { z } from "zod";
import { MICRO_CREDITS_PER_CREDIT } from "../money.ts";
import { operation } from "../operation.ts";
import { amountOrZero, creditsText, id, instant, instantText, positiveAmount } from "../shapes.ts";

const MOST_CREDITS = 2000n * MICRO_CREDITS_PER_CREDIT;

const quota = z.object({
  credits: creditsText.describe("Given each cycle; 0: none"),
  anchor: instantText.describe("Cycles are calendar months counted from here"),
  nextReset: instantText,
  rollover: z
    .object({ cap: creditsText, months: z.int() })
    .nullable()
    .describe("What a cycle leaves unused lives on up to the cap, for so many months"),
  cycle: z
    .object({
      number: z.int().describe("From the anchor, beginning with 0"),
      start: instantText,
      end: instantText,
      grantId: z.string(),
      remaining: creditsText,
    })
    .nullable()
    .describe("The cycle issued last"),
});

export type QuotaAnswer = z.infer<typeof quota>;

export const getQuota = operation({
  name: "getQuota",
  method: "get",
  path: "/v1/quota",
  access: "account",
  summary: "What the account is given each month, and when next.",
  query: z.strictObject({ accountId: id.optional() }),
  status: 200,
  answer: z.object({ accountId: z.string(), quota: quota.nullable() }),
  errors: ["account_unknown"],
});

export const putQuota = operation({
  name: "putQuota",
  method: "put",
  path: "/v1/accounts/{id}/quota",
  access: "admin",
  summary: "Give an account a monthly quota, at once, or change its terms from the next cycle on.",
  params: z.object({ id }),
  body: z.strictObject({
    credits: amountOrZero
      .refine((amount) => amount <= MOST_CREDITS, "must be at most 2000")
      .default(500n * MICRO_CREDITS_PER_CREDIT)
      .describe("Each cycle; default 500; 0 stops it"),
    anchor: instant
      .optional()
      .describe("Months are counted from here; default: now. Cannot be changed later"),
    rollover: z
      .strictObject({
        cap: positiveAmount,
        months: z.int().min(1, "must be 1 to 12").max(12, "must be 1 to 12").default(1),
      })
      .nullable()
      .default(null),
  }),
  status: 200,
  answer: z.object({ accountId: z.string(), quota }),
  errors: ["account_unknown", "quota_anchor_fixed"],
});
