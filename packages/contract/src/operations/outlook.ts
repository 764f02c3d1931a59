import { z } from "zod";
import { operation } from "../operation.ts";
import { creditsText, id, instantText } from "../shapes.ts";
import { grantSource } from "./grants.ts";

export const listExpiries = operation({
  name: "listExpiries",
  method: "get",
  path: "/v1/expiries",
  access: "account",
  summary: "What of the available credits expires when, if nothing is spent.",
  query: z.strictObject({ accountId: id.optional() }),
  status: 200,
  answer: z.object({
    accountId: z.string(),
    expiries: z.array(
      z.object({
        grantId: z.string(),
        source: grantSource,
        amount: creditsText,
        at: instantText,
        cumulative: creditsText.describe("With all that expire before it"),
      }),
    ),
    lasting: creditsText.describe("What never expires"),
  }),
  errors: ["account_unknown"],
});

const amountAt = z.object({ at: instantText, amount: creditsText });

export const getForecast = operation({
  name: "getForecast",
  method: "get",
  path: "/v1/forecast",
  access: "account",
  summary: "How long the credits last if use goes on as in the last 28 days, the latest days counting most.",
  query: z.strictObject({ accountId: id.optional() }),
  status: 200,
  answer: z.object({
    accountId: z.string(),
    available: creditsText,
    scoped: creditsText.describe("Kept for some features alone; the estimate leaves it out"),
    estimate: z
      .object({
        perDay: creditsText,
        basedOnDays: z.int(),
        daysLeft: z.int().nullable().describe("Whole days; null: more than a year"),
        runsOutAt: instantText.nullable(),
        topUpAt: instantText.nullable().describe("When the top-up policy would buy; null: it would not"),
      })
      .nullable(),
    reason: z
      .enum(["too_little_data", "no_recent_use"])
      .nullable()
      .describe("Why there is no estimate: fewer than 3 days are known, or nothing was used"),
    nextExpiry: amountAt.nullable(),
    nextReset: amountAt.nullable(),
  }),
  errors: ["account_unknown"],
});
