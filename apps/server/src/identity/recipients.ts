import type { RecipientsOf } from "@bursar/engine/notice/mail";
import { listMembers } from "@bursar/engine/organization/store-members";
import { organizationOfAccount } from "@bursar/engine/organization/turn";
import { personOfAccount } from "@bursar/identity/people/recipients";

/** Who is told about an account by mail: the person whose it is, or the owner of the organization whose it is. */
export const peopleOfAccount: RecipientsOf = async (queryable, accountId) => {
  const organizationId = organizationOfAccount(accountId);
  if (organizationId === null) return personOfAccount(queryable, accountId);
  const members = await listMembers(queryable, organizationId);
  const owner = members.find(({ role }) => role === "owner");
  return owner === undefined ? [] : personOfAccount(queryable, owner.personAccountId);
};
