import type { RecipientsOf } from "@bursar/engine/notice/mail";
import { canGetMail, personIdOf } from "./naming.ts";
import { findAddress } from "./store.ts";

/** The person whose own credit account this is, if mail can reach them and they are not disabled. */
export const personOfAccount: RecipientsOf = async (queryable, accountId) => {
  const personId = personIdOf(accountId);
  const email = personId === null ? null : await findAddress(queryable, personId);
  return email !== null && canGetMail(email) ? [{ email }] : [];
};
