/** One call of every operation that people make, which changes nothing: where the caller may, the answer is about what
 *  is named in it and does not exist. */
import type { OperationName } from "@bursar/contract/v1";

export interface Row {
  readonly path: string;
  readonly body?: object;
  /** What owner, admin and member hear; strangers to the organization always 404 organization_unknown. */
  readonly owner: string;
  readonly admin: string;
  readonly member: string;
  /** Not about one organization: what anybody hears who has signed in. */
  readonly anybody?: string;
  /** What an administrator's key hears, where it is not what an owner does. */
  readonly adminKey?: string;
}

const ORGANIZATION = "/v1/organizations/org_access";
const nobody = { memberId: "nobody-at-all" };
const alike = (heard: string) => ({ owner: heard, admin: heard, member: heard });
const ownersAndAdmins = (heard: string) => ({ owner: heard, admin: heard, member: "403 role_required" });
const ownersOnly = (heard: string) => ({
  owner: heard,
  admin: "403 role_required",
  member: "403 role_required",
});

export const ORGANIZATION_CALLS = {
  createOrganization: {
    path: "/v1/organizations",
    body: { id: "org_access", name: "Another name" },
    ...alike("409 organization_exists"),
    anybody: "409 organization_exists",
    adminKey: "422 invalid_request",
  },
  listOrganizations: { path: "/v1/organizations", ...alike("200"), anybody: "200" },
  getOrganization: { path: ORGANIZATION, ...alike("200") },
  changeOrganization: { path: ORGANIZATION, body: {}, ...ownersAndAdmins("200") },
  listMembers: { path: `${ORGANIZATION}/members`, ...alike("200") },
  setMemberRole: {
    path: `${ORGANIZATION}/role`,
    body: { ...nobody, role: "admin" },
    ...ownersOnly("404 member_unknown"),
  },
  setMemberCaps: { path: `${ORGANIZATION}/caps`, body: nobody, ...ownersAndAdmins("404 member_unknown") },
  removeMember: { path: `${ORGANIZATION}/remove`, body: nobody, ...ownersAndAdmins("404 member_unknown") },
  leaveOrganization: {
    path: "/v1/organizations/org_none/leave",
    ...alike("404 organization_unknown"),
    adminKey: "403 person_required",
  },
  transferOrganization: {
    path: `${ORGANIZATION}/transfer`,
    body: nobody,
    ...ownersOnly("404 member_unknown"),
  },
  previewDeletion: {
    path: "/v1/deletion",
    ...alike("200"),
    anybody: "200",
    adminKey: "403 person_required",
  },
  deletePerson: {
    path: "/v1/deletion",
    body: { confirm: "1000", password: "not theirs" },
    ...{ owner: "409 owner_needed", admin: "401 password_refused", member: "401 password_refused" },
    anybody: "401 password_refused",
    adminKey: "403 person_required",
  },
  createInvite: {
    path: `${ORGANIZATION}/invites`,
    body: { email: "new@example.org" },
    ...ownersAndAdmins("201"),
  },
  listInvites: { path: `${ORGANIZATION}/invites`, ...ownersAndAdmins("200") },
  revokeInvite: {
    path: `${ORGANIZATION}/invites/revoke`,
    body: { inviteId: "invite_none" },
    ...ownersAndAdmins("404 invite_unknown"),
  },
  acceptInvite: {
    path: "/v1/organization-invites/accept",
    body: { token: "inv_none" },
    ...alike("404 invite_unknown"),
    anybody: "404 invite_unknown",
    adminKey: "403 person_required",
  },
  requestCredits: {
    path: `${ORGANIZATION}/requests`,
    body: { amount: "1", reason: "test" },
    ...alike("409 cap_unset"),
    adminKey: "403 person_required",
  },
  listRequests: { path: `${ORGANIZATION}/requests`, ...alike("200") },
  decideRequest: {
    path: `${ORGANIZATION}/requests/decide`,
    body: { requestId: "ask_none", approve: true },
    ...ownersAndAdmins("404 request_unknown"),
  },
  addRepository: {
    path: `${ORGANIZATION}/repositories`,
    body: { url: "github.com/acme/widget" },
    ...ownersAndAdmins("200"),
  },
  listRepositories: { path: `${ORGANIZATION}/repositories`, ...alike("200") },
  removeRepository: {
    path: `${ORGANIZATION}/repositories/remove`,
    body: { url: "github.com/acme/none" },
    ...ownersAndAdmins("404 repository_unknown"),
  },
} as const satisfies Partial<Record<OperationName, Row>>;
