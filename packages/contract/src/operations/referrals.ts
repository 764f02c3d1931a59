import { z } from "zod";
import { operation } from "../operation.ts";
import { creditsText, id, instantText } from "../shapes.ts";
import { code } from "./gifts.ts";

const state = z
  .enum(["pending", "rewarded", "unrewarded"])
  .describe("unrewarded: the referrer had reached the limit by then");

const reward = creditsText.describe("What each of the two gets");

export const getReferrals = operation({
  name: "getReferrals",
  method: "get",
  path: "/v1/referrals",
  access: "account",
  summary: "The account's own code, whom it has brought, and who has brought it.",
  query: z.strictObject({ accountId: id.optional() }),
  status: 200,
  answer: z.object({
    code: z.string().nullable().describe("null until one is made: PUT /v1/referrals/code"),
    reward,
    condition: z
      .enum(["purchase", "verified_mail"])
      .describe("What the person who was brought must do first"),
    limit: z.int(),
    pending: z.int(),
    rewarded: z.int(),
    earned: creditsText,
    referrals: z
      .array(z.object({ state, at: instantText, closedAt: instantText.nullable() }))
      .describe("The latest 100"),
    broughtBy: z.object({ state, at: instantText }).nullable(),
  }),
  errors: ["account_unknown"],
});

export const makeReferralCode = operation({
  name: "makeReferralCode",
  method: "put",
  path: "/v1/referrals/code",
  access: "account",
  summary: "The account's referral code, made at the first call.",
  body: z.strictObject({ accountId: id.optional() }).optional(),
  status: 200,
  answer: z.object({ code: z.string() }),
  errors: ["person_required", "account_unknown"],
});

export const trackReferral = operation({
  name: "trackReferral",
  method: "post",
  path: "/v1/referrals",
  access: "account",
  summary: "Say whose code brought this account. Both get credits once the condition is met.",
  body: z.strictObject({ code, accountId: id.optional() }),
  status: 201,
  answer: z.object({ state, reward }),
  errors: [
    "person_required",
    "account_unknown",
    "code_unknown",
    "referral_self",
    "referral_taken",
    "referral_loop",
    "referral_too_late",
    "referral_limit",
  ],
});
