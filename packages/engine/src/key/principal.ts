import type { AccountId, KeyId } from "@bursar/contract/ids";
import type { Cap } from "../ledger/command.ts";
import type { Member, OrganizationRole } from "../organization/decide.ts";

/** Who calls: a key, or a person. */
export interface Principal {
  readonly kind: "account" | "admin";
  /** null for a person. */
  readonly keyId: KeyId | null;
  /** null for an admin key; a person who is an admin has one. */
  readonly accountId: AccountId | null;
  readonly caps: readonly Cap[];
  /** How entries name the caller. */
  readonly by: string;
  /** Who it is; absent for a key. */
  readonly person?: Member | undefined;
  /** Where that person is signed in. */
  readonly sessionId?: string | undefined;
  /** On whose credits and by which role the caller acts, where it is not their own account. */
  readonly organization?: { readonly id: string; readonly role: OrganizationRole } | undefined;
}
