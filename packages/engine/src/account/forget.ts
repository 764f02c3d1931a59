import type { AccountId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import { forgetNames } from "../key/store.ts";
import { deleteMailsTo, type Queryable } from "../mail/store.ts";
import { deleteAll } from "../notice/store.ts";
import { forgetAddressOf } from "../organization/store-invites.ts";
import { renameAccount } from "./store.ts";

export interface Owner {
  readonly personId: string;
  readonly accountId: AccountId;
  readonly email: string;
  /** Whether they have proved that it is theirs. */
  readonly emailVerified: boolean;
}

/** Takes out of the books who somebody was, in the transaction that deletes them: what is left is what an account has
 *  had and spent, under its id. Mails to their address, sent or not, invites to it, how they have named their keys, and what
 *  their account was told go as well. */
export async function forgetOwner(client: Queryable, owner: Owner, now: Instant): Promise<void> {
  const { personId, accountId, email, emailVerified } = owner;
  await forgetAddressOf(client, { personId, address: emailVerified ? email : null, at: now });
  await forgetNames(client, accountId);
  await deleteMailsTo(client, email);
  await deleteAll(client, accountId, now);
  // Last, because the ledger waits for this row.
  await renameAccount(client, accountId, accountId);
}
