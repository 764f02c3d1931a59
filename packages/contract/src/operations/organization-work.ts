import { z } from "zod";
import { operation } from "../operation.ts";
import { creditsText, id, instantText, note, positiveAmount } from "../shapes.ts";
import { organizationParams } from "./organizations.ts";

const window = z.enum(["day", "month", "total"]);

const request = z.object({
  id: z.string(),
  memberId: z.string(),
  window: window.describe("Which cap is to grow"),
  amount: creditsText,
  reason: z.string(),
  state: z.enum(["open", "approved", "denied"]),
  approvedAmount: creditsText.nullable(),
  createdAt: instantText,
  decidedAt: instantText.nullable(),
});

export const requestCredits = operation({
  name: "requestCredits",
  method: "post",
  path: "/v1/organizations/{id}/requests",
  access: "person",
  summary: "Ask owner and admins for a higher cap; one request at a time.",
  params: organizationParams,
  body: z.strictObject({
    amount: positiveAmount,
    window: window.optional().describe("Default: the cap with the least left"),
    reason: note,
  }),
  status: 201,
  answer: request,
  errors: ["organization_unknown", "person_required", "cap_unset", "request_open"],
});

export const listRequests = operation({
  name: "listRequests",
  method: "get",
  path: "/v1/organizations/{id}/requests",
  access: "person",
  summary: "The requests, open ones first; a member sees their own.",
  params: organizationParams,
  status: 200,
  answer: z.object({ requests: z.array(request) }),
  errors: ["organization_unknown"],
});

export const decideRequest = operation({
  name: "decideRequest",
  method: "post",
  path: "/v1/organizations/{id}/requests/decide",
  access: "person",
  summary: "Approve a request, which raises the cap at once, or deny it. The member is told.",
  params: organizationParams,
  body: z.strictObject({
    requestId: id,
    approve: z.boolean(),
    amount: positiveAmount.optional().describe("Where it is not what was asked"),
  }),
  status: 200,
  answer: request,
  errors: ["organization_unknown", "role_required", "request_unknown", "request_decided"],
});

const url = z
  .string({ error: "must be a repository's address" })
  .max(2000)
  .describe("As git or a browser has it: https://github.com/owner/name, git@github.com:owner/name.git");

const mapped = z.object({ id: z.string(), repository: z.string().describe("host/owner/name") });

export const addRepository = operation({
  name: "addRepository",
  method: "post",
  path: "/v1/organizations/{id}/repositories",
  access: "person",
  summary: "From now on the organization pays for its members' work on this repository.",
  params: organizationParams,
  body: z.strictObject({ url }),
  status: 200,
  answer: mapped,
  errors: ["organization_unknown", "role_required"],
});

export const listRepositories = operation({
  name: "listRepositories",
  method: "get",
  path: "/v1/organizations/{id}/repositories",
  access: "person",
  summary: "The organization's repositories.",
  params: organizationParams,
  status: 200,
  answer: z.object({ repositories: z.array(z.object({ repository: z.string(), addedAt: instantText })) }),
  errors: ["organization_unknown"],
});

export const removeRepository = operation({
  name: "removeRepository",
  method: "post",
  path: "/v1/organizations/{id}/repositories/remove",
  access: "person",
  summary: "The organization pays no longer for work on this repository.",
  params: organizationParams,
  body: z.strictObject({ url }),
  status: 200,
  answer: mapped,
  errors: ["organization_unknown", "role_required", "repository_unknown"],
});
