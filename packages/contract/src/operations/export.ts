import { z } from "zod";
import { notice } from "../notices.ts";
import { operation } from "../operation.ts";
import { creditsText, id, instantText } from "../shapes.ts";
import { getAccount } from "./accounts.ts";
import { getBalance } from "./balance.ts";
import { entry, usageRecord } from "./history.ts";
import { listKeys } from "./keys.ts";
import { listRequests } from "./organization-work.ts";
import { listOrganizations } from "./organizations.ts";
import { listPaymentMethods, payment } from "./payments.ts";
import { getQuota } from "./quota.ts";
import { getReferrals } from "./referrals.ts";
import { getSubscription, listInvoices } from "./subscriptions.ts";
import { getTopUpPolicy, listTopUpAttempts } from "./topup.ts";

const facts = z.record(z.string(), z.json());

const person = z.object({
  id: z.string(),
  name: z.string(),
  username: z.string().nullable(),
  email: z.string(),
  emailVerified: z.boolean(),
  image: z.string().nullable(),
  role: z.string(),
  disabled: z.boolean(),
  secondFactor: z.boolean(),
  createdAt: instantText,
  logins: z.array(
    z.object({
      provider: z.string().describe("credential: a password"),
      subject: z.string().describe("Who they are to that provider"),
      createdAt: instantText,
    }),
  ),
  sessions: z.array(
    z.object({
      id: z.string(),
      address: z.string().nullable(),
      userAgent: z.string().nullable(),
      createdAt: instantText,
      expiresAt: instantText,
    }),
  ),
});

const grant = z.object({
  id: z.string(),
  source: z.string(),
  granted: creditsText,
  priority: z.int(),
  expiresAt: instantText.nullable(),
  scope: z.array(z.string()).nullable().describe("Features that it is for; null: all"),
  allocatedBy: z.string(),
  allocatedAt: instantText,
  notes: z.string().nullable(),
  reference: z.string().nullable(),
});

const refusal = z.object({
  id: z.string(),
  reference: z.string(),
  requestId: z.string().nullable(),
  operation: z.string(),
  code: z.string(),
  amount: creditsText.nullable(),
  feature: z.string().nullable(),
  metadata: facts.nullable(),
  at: instantText,
  by: z.string(),
});

const chat = z.object({
  id: z.string(),
  title: z.string(),
  modelId: z.string(),
  createdAt: instantText,
  updatedAt: instantText,
  messages: z.array(
    z.object({
      id: z.string(),
      role: z.string(),
      content: z.string(),
      status: z.string(),
      modelId: z.string().nullable(),
      credits: creditsText.nullable(),
      createdAt: instantText,
    }),
  ),
});

export const exportAccount = operation({
  name: "exportAccount",
  method: "get",
  path: "/v1/export",
  access: "account",
  summary:
    "Everything that is kept about an account and about the person whose it is, as one document; for people and administrators, not for an account's API key.",
  query: z.strictObject({ accountId: id.optional() }),
  status: 200,
  answer: z.object({
    exportedAt: instantText,
    account: getAccount.answer,
    person: person.nullable().describe("null: no person's account, or nobody's any more"),
    balance: getBalance.answer,
    quota: getQuota.answer.shape.quota,
    subscriptions: z.array(getSubscription.answer.shape.subscription.unwrap()),
    topUpPolicy: getTopUpPolicy.answer,
    topUpPolicyChanges: z.array(
      z.object({ at: instantText, by: z.string(), reason: z.string().nullable(), enabled: z.boolean() }),
    ),
    referrals: getReferrals.answer,
    paymentMethods: listPaymentMethods.answer.shape.paymentMethods,
    keys: listKeys.answer.shape.keys.describe("What identifies them; a key itself is kept nowhere"),
    organizations: listOrganizations.answer.shape.organizations.describe("Those that the person is in"),
    creditRequests: z
      .array(listRequests.answer.shape.requests.element.extend({ organizationId: z.string() }))
      .describe("What the person has asked organizations for"),
    grants: z.array(grant),
    entries: z.array(entry.extend({ requestId: z.string().nullable(), metadata: facts.nullable() })),
    usage: z.array(usageRecord),
    refusals: z.array(refusal),
    payments: z.array(payment),
    invoices: listInvoices.answer.shape.invoices,
    topUpAttempts: listTopUpAttempts.answer.shape.attempts,
    notices: z.array(notice),
    chats: z.array(chat),
  }),
  errors: ["account_unknown", "person_required", "payment_unavailable"],
});
