import { z } from "zod";
import { operation } from "../operation.ts";
import { amountOrZero, creditsText, id, instantText, oneLine } from "../shapes.ts";

const name = oneLine(100);

export const organizationParams = z.object({ id });

/** However people name each other. */
export const memberRef = oneLine(254).describe("A member's id, username or e-mail");

const role = z.enum(["owner", "admin", "member"]);

const cap = amountOrZero.nullable().optional().describe("null: no cap; 0 stops at once; left out: as it is");
export const capFields = { day: cap, month: cap, total: cap };

const capsShown = z.object({
  day: creditsText.nullable(),
  month: creditsText.nullable(),
  total: creditsText.nullable(),
});
const useShown = z.object({ day: creditsText, month: creditsText, total: creditsText });

const organization = z.object({
  id: z.string(),
  accountId: z.string().describe("Where its credits are"),
  name: z.string(),
  role: role.nullable().describe("Of whoever asks; null for an administrator who is no member"),
  members: z.int(),
  available: creditsText,
  held: creditsText,
  owed: creditsText,
  defaultCaps: capsShown.describe("What those who join may use; null: as much as there is"),
  createdAt: instantText,
});

/** Its account is `acct_` and this, so nothing else may look like it: no other kind of account does. */
const organizationId = z
  .string()
  .regex(/^org_[a-z0-9_]{1,60}$/, "must be org_ and 1 to 60 small letters, digits or _");

export const createOrganization = operation({
  name: "createOrganization",
  method: "post",
  path: "/v1/organizations",
  access: "person",
  summary: "Make an organization with an account of its own. Whoever makes it owns it.",
  body: z.strictObject({
    id: organizationId.optional().describe("Your id for it; it is the idempotency key"),
    name,
    ownerId: memberRef.optional().describe("Only for administrators: who is to own it"),
  }),
  status: 201,
  answer: organization,
  errors: ["organization_exists", "person_unknown"],
});

export const listOrganizations = operation({
  name: "listOrganizations",
  method: "get",
  path: "/v1/organizations",
  access: "person",
  summary: "The organizations one belongs to; all of them for an administrator.",
  status: 200,
  answer: z.object({ organizations: z.array(organization) }),
  errors: [],
});

export const getOrganization = operation({
  name: "getOrganization",
  method: "get",
  path: "/v1/organizations/{id}",
  access: "person",
  summary: "One organization, with its credits.",
  params: organizationParams,
  status: 200,
  answer: organization,
  errors: ["organization_unknown"],
});

export const changeOrganization = operation({
  name: "changeOrganization",
  method: "patch",
  path: "/v1/organizations/{id}",
  access: "person",
  summary: "Rename it, or set the caps of those who join from now on.",
  params: organizationParams,
  body: z.strictObject({ name: name.optional(), defaultCaps: z.strictObject(capFields).optional() }),
  status: 200,
  answer: organization,
  errors: ["organization_unknown", "role_required"],
});

const member = z.object({
  id: z.string(),
  name: z.string().nullable().describe("null: the person has been deleted"),
  email: z.string().nullable(),
  role,
  caps: capsShown,
  used: useShown.nullable().describe("Open holds included; null where a member looks at others"),
  joinedAt: instantText,
});

export const listMembers = operation({
  name: "listMembers",
  method: "get",
  path: "/v1/organizations/{id}/members",
  access: "person",
  summary: "Who belongs to it, what they may use and what they have used.",
  params: organizationParams,
  status: 200,
  answer: z.object({ members: z.array(member) }),
  errors: ["organization_unknown"],
});

const changed = z.object({ id: z.string(), memberId: z.string() });

export const setMemberRole = operation({
  name: "setMemberRole",
  method: "put",
  path: "/v1/organizations/{id}/role",
  access: "person",
  summary: "Make a member an admin, or an admin a member.",
  params: organizationParams,
  body: z.strictObject({ memberId: memberRef, role: z.enum(["admin", "member"]) }),
  status: 200,
  answer: changed,
  errors: ["organization_unknown", "role_required", "member_unknown", "owner_needed"],
});

export const setMemberCaps = operation({
  name: "setMemberCaps",
  method: "put",
  path: "/v1/organizations/{id}/caps",
  access: "person",
  summary: "Set what a member may use a day, a month and in all (UTC), from the next command on.",
  params: organizationParams,
  body: z.strictObject({ memberId: memberRef, ...capFields }),
  status: 200,
  answer: z.object({ id: z.string(), memberId: z.string(), caps: capsShown, used: useShown }),
  errors: ["organization_unknown", "role_required", "member_unknown", "cap_below_use"],
});

export const removeMember = operation({
  name: "removeMember",
  method: "post",
  path: "/v1/organizations/{id}/remove",
  access: "person",
  summary: "End a membership, effective with the next request.",
  params: organizationParams,
  body: z.strictObject({ memberId: memberRef }),
  status: 200,
  answer: changed,
  errors: ["organization_unknown", "role_required", "member_unknown", "owner_needed"],
});

export const leaveOrganization = operation({
  name: "leaveOrganization",
  method: "post",
  path: "/v1/organizations/{id}/leave",
  access: "person",
  summary: "End one's own membership. An owner transfers the organization first.",
  params: organizationParams,
  status: 200,
  answer: changed,
  errors: ["organization_unknown", "person_required", "owner_needed"],
});

export const transferOrganization = operation({
  name: "transferOrganization",
  method: "post",
  path: "/v1/organizations/{id}/transfer",
  access: "person",
  summary: "Hand it to another member; who had it becomes an admin.",
  params: organizationParams,
  body: z.strictObject({ memberId: memberRef }),
  status: 200,
  answer: changed,
  errors: ["organization_unknown", "role_required", "member_unknown"],
});
