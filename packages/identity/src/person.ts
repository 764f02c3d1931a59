import type { AccountId } from "@bursar/contract/ids";

/** What a person may do beyond their own things. */
export type Role = "admin" | "supervisor" | "enduser" | "user";

export const ROLES: readonly Role[] = ["admin", "supervisor", "enduser", "user"];

/** A person as the rest of the product sees one: never a password, a secret or a session. */
export interface Person {
  /** `user_…` */
  readonly id: string;
  /** Their credit account, which exists from the moment the person does. */
  readonly accountId: AccountId;
  readonly username: string | null;
  readonly email: string;
  readonly name: string;
  readonly role: Role;
  readonly emailVerified: boolean;
}
