import { z } from "zod";
import { operation } from "../operation.ts";
import { id, instantText } from "../shapes.ts";
import { organizationParams } from "./organizations.ts";

const invite = z.object({
  id: z.string(),
  email: z.string(),
  role: z.enum(["admin", "member"]),
  createdAt: instantText,
  expiresAt: instantText,
});

export const createInvite = operation({
  name: "createInvite",
  method: "post",
  path: "/v1/organizations/{id}/invites",
  access: "person",
  summary: "Invite whoever reads a mailbox, by a link that is good once. An earlier invite of it ends.",
  params: organizationParams,
  body: z.strictObject({
    email: z.email("must be one address, such as ada@example.com").max(254),
    role: z.enum(["admin", "member"]).default("member"),
    days: z.int().min(1).max(30).default(7).describe("How long the link is good"),
  }),
  status: 201,
  answer: invite.extend({ link: z.string(), token: z.string().describe("Shown once, and in the mail") }),
  errors: ["organization_unknown", "role_required", "rate_limited"],
});

export const listInvites = operation({
  name: "listInvites",
  method: "get",
  path: "/v1/organizations/{id}/invites",
  access: "person",
  summary: "The invites that are open, the latest first.",
  params: organizationParams,
  status: 200,
  answer: z.object({ invites: z.array(invite) }),
  errors: ["organization_unknown", "role_required"],
});

export const revokeInvite = operation({
  name: "revokeInvite",
  method: "post",
  path: "/v1/organizations/{id}/invites/revoke",
  access: "person",
  summary: "Take an invite back.",
  params: organizationParams,
  body: z.strictObject({ inviteId: id }),
  status: 200,
  answer: z.object({ id: z.string() }),
  errors: ["organization_unknown", "role_required", "invite_unknown"],
});

export const acceptInvite = operation({
  name: "acceptInvite",
  method: "post",
  path: "/v1/organization-invites/accept",
  access: "person",
  summary: "Join by an invite, signed in with the address that it was sent to.",
  body: z.strictObject({ token: z.string({ error: "must be a string" }) }),
  status: 201,
  answer: z.object({ organizationId: z.string(), name: z.string() }),
  errors: ["person_required", "invite_unknown", "invite_for_another", "invite_used", "invite_expired"],
});
