import { z } from "zod";
import { operation } from "../operation.ts";
import {
  amountOrZero,
  creditsText,
  cursor,
  id,
  instantText,
  listLimit,
  note,
  oneLine,
  signedAmount,
} from "../shapes.ts";

const account = z.object({ id: z.string(), name: z.string() });

const owner = z.object({
  kind: z.enum(["person", "organization"]),
  id: z.string(),
  name: z.string(),
  username: z.string().nullable(),
  email: z.string().nullable(),
});

const accountState = account.extend({
  owner: owner.nullable().describe("Whose it is; null: an account made by itself"),
  available: creditsText,
  held: creditsText,
  owed: creditsText,
  frozen: z.boolean(),
  alertBelow: creditsText.nullable(),
  createdAt: instantText,
});

export const createAccount = operation({
  name: "createAccount",
  method: "post",
  path: "/v1/accounts",
  access: "admin",
  summary: "Create an account. With an id of your own, the call can be repeated.",
  body: z.strictObject({
    id: id.optional(),
    name: oneLine(200),
    alertBelow: amountOrZero.optional().describe("Tell the account and the log when the balance falls below"),
  }),
  status: 201,
  answer: account,
  errors: ["account_exists"],
});

export const listAccounts = operation({
  name: "listAccounts",
  method: "get",
  path: "/v1/accounts",
  access: "admin",
  summary: "Accounts by id, a page at a time; all, or those that are searched for.",
  query: z.strictObject({
    search: oneLine(200)
      .optional()
      .describe(
        "Part of a name, id, username or e-mail, of the account or its owner; its beginning, where it is shorter than 3",
      ),
    limit: listLimit(1000, 100),
    cursor: cursor.optional(),
  }),
  status: 200,
  answer: z.object({ accounts: z.array(accountState), nextCursor: z.string().nullable() }),
  errors: [],
});

export const getAccount = operation({
  name: "getAccount",
  method: "get",
  path: "/v1/accounts/{id}",
  access: "admin",
  summary: "One account and its buckets.",
  params: z.object({ id }),
  status: 200,
  answer: accountState,
  errors: ["account_unknown"],
});

const stop = {
  method: "post",
  access: "admin",
  params: z.object({ id }),
  body: z.strictObject({ reason: note, id: id.optional() }),
  status: 200,
  answer: z.object({ id: z.string(), frozen: z.boolean() }),
  errors: ["account_unknown"],
} as const;

export const freezeAccount = operation({
  ...stop,
  name: "freezeAccount",
  path: "/v1/accounts/{id}/freeze",
  summary: "Stop an account: nothing new is held or spent. Open holds can still be settled.",
});

export const unfreezeAccount = operation({
  ...stop,
  name: "unfreezeAccount",
  path: "/v1/accounts/{id}/unfreeze",
  summary: "Let a frozen account go on.",
});

export const createAdjustment = operation({
  name: "createAdjustment",
  method: "post",
  path: "/v1/adjustments",
  access: "admin",
  summary: "Correct a balance, with the reason. Negative amounts take from what is available, and no more.",
  body: z.strictObject({
    id: id.optional(),
    accountId: id,
    amount: signedAmount,
    reason: note,
  }),
  status: 201,
  answer: z.object({ id: z.string(), amount: creditsText, available: creditsText, owed: creditsText }),
  errors: ["account_unknown", "amount_out_of_range", "key_conflict", "insufficient_credits"],
});
