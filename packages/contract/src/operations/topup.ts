import { z } from "zod";
import { currency, MINOR_UNITS, minorUnits, minorUnitsText } from "../fiat.ts";
import { operation } from "../operation.ts";
import {
  amountOrZero,
  creditsText,
  cursor,
  id,
  instantText,
  listLimit,
  note,
  positiveAmount,
} from "../shapes.ts";

const COOLDOWN = "must be a whole number of seconds from 0 to 2592000";
const cooldown = z.int({ error: COOLDOWN }).min(0, COOLDOWN).max(2_592_000, COOLDOWN);

const mode = z.enum(["target", "amount"], { error: "must be target or amount" });

/** The fields of a policy as a caller writes them; switched off, all but `enabled` may be left out. */
const policyFields = {
  mode: mode.optional(),
  threshold: amountOrZero.optional().describe("Buy when the balance, less debt, is below this"),
  target: positiveAmount.optional().describe("Mode target: buy up to this"),
  amount: positiveAmount
    .optional()
    .describe("Mode amount: buy this, or as many times this as closes the gap"),
  currency: currency.optional(),
  dailyCap: minorUnits.optional().describe("The most to charge a day (UTC), in the currency's minor unit"),
  monthlyCap: minorUnits
    .optional()
    .describe("The most to charge a month (UTC), in the currency's minor unit"),
  cooldownSeconds: cooldown.optional().describe("Between two charges; default 3600"),
};

const policyState = z.object({
  accountId: z.string(),
  enabled: z.boolean(),
  mode: mode.nullable(),
  threshold: creditsText.nullable(),
  target: creditsText.nullable(),
  amount: creditsText.nullable(),
  currency: currency.nullable(),
  dailyCap: minorUnitsText.nullable(),
  monthlyCap: minorUnitsText.nullable(),
  cooldownSeconds: z.int(),
  chargedToday: minorUnitsText.describe("Counts open attempts too"),
  chargedThisMonth: minorUnitsText,
  disabledReason: z.string().nullable().describe("Why it was switched off other than by its owner"),
  suspended: z
    .boolean()
    .describe(
      "A dispute is open, or unused credits are being given back: nothing is bought until that is over",
    ),
  lastTriggeredAt: instantText.nullable(),
  updatedAt: instantText.nullable(),
  updatedBy: z.string().nullable(),
  reason: z.string().nullable(),
});

const accountQuery = z.strictObject({ accountId: id.optional() });

export const getTopUpPolicy = operation({
  name: "getTopUpPolicy",
  method: "get",
  path: "/v1/topup-policy",
  access: "account",
  summary: "When and how credits are bought by themselves. Off until somebody switches it on.",
  query: accountQuery,
  status: 200,
  answer: policyState,
  errors: ["account_unknown"],
});

export const putTopUpPolicy = operation({
  name: "putTopUpPolicy",
  method: "put",
  path: "/v1/topup-policy",
  access: "account",
  summary:
    "Set the auto top-up. A person gives a TOTP code to enable or change it; an admin key gives accountId and reason.",
  body: z.strictObject({
    accountId: id.optional(),
    enabled: z.boolean({ error: "must be true or false" }),
    ...policyFields,
    totpCode: z.string().optional().describe("Six digits, from a person's authenticator"),
    reason: note.optional().describe("Required with an admin key; recorded"),
  }),
  status: 200,
  answer: policyState,
  errors: ["account_unknown", "policy_refused", "totp_not_enabled", "totp_refused", "person_required"],
});

export const previewTopUpPolicy = operation({
  name: "previewTopUpPolicy",
  method: "get",
  path: "/v1/topup-policy/preview",
  access: "account",
  summary:
    "What a policy would have charged over the last 30 days: the one given, else the one that is set. Charges nothing.",
  query: z.strictObject({
    accountId: id.optional(),
    ...policyFields,
    dailyCap: z.coerce.number({ error: MINOR_UNITS }).pipe(minorUnits).optional(),
    monthlyCap: z.coerce.number({ error: MINOR_UNITS }).pipe(minorUnits).optional(),
    cooldownSeconds: z.coerce.number({ error: COOLDOWN }).pipe(cooldown).optional(),
  }),
  status: 200,
  answer: z.object({
    from: instantText,
    to: instantText,
    currency,
    charges: z.array(
      z.object({ at: instantText, credits: creditsText, amount: minorUnitsText, netBefore: creditsText }),
    ),
    total: minorUnitsText,
    credits: creditsText,
    stopped: z
      .array(z.object({ at: instantText, reason: z.enum(["in_cooldown", "cap_reached"]) }))
      .describe("When it would have bought, but was not allowed to; each time it began"),
  }),
  errors: ["account_unknown", "policy_refused"],
});

export const attemptState = z.enum([
  "wanted",
  "charging",
  "requires_action",
  "granted",
  "confirmed",
  "failed",
  "reversed",
  "canceled",
]);

export const listTopUpAttempts = operation({
  name: "listTopUpAttempts",
  method: "get",
  path: "/v1/topup-attempts",
  access: "account",
  summary: "Every attempt to buy credits by itself, newest first, with why and how it ended.",
  query: z.strictObject({
    accountId: id.optional(),
    limit: listLimit(200, 50),
    cursor: cursor.optional(),
  }),
  status: 200,
  answer: z.object({
    attempts: z.array(
      z.object({
        id: z.string(),
        state: attemptState,
        credits: creditsText,
        amount: minorUnitsText,
        currency,
        netBefore: creditsText,
        threshold: creditsText,
        actionUrl: z.string().nullable().describe("Where a person confirms the payment"),
        failure: z.object({ code: z.string(), message: z.string() }).nullable(),
        createdAt: instantText,
        endedAt: instantText.nullable(),
      }),
    ),
    nextCursor: z.string().nullable(),
  }),
  errors: ["account_unknown"],
});
