import type { AccountId } from "@bursar/contract/ids";
import type { Access } from "@bursar/contract/operation";
import type { AuthenticateOutcome, Keys, Principal } from "@bursar/engine/key/keys";
import { accountRequired } from "./grants.ts";
import type { Problem } from "./problem.ts";

/** Who calls, by `Authorization: Bearer <key>`. Nothing else in a request says who somebody is.
 *  `exact` asks the database; without it a key seen moments ago is enough, because a ledger command follows that
 *  checks the key again. */
export async function authenticate(
  keys: Keys,
  header: string | undefined,
  exact: boolean,
): Promise<Principal | Problem> {
  const secret = /^Bearer +(\S+)$/i.exec(header ?? "")?.[1];
  if (secret === undefined) {
    return { problem: "unauthenticated", message: "Send an API key: Authorization: Bearer <key>" };
  }
  const outcome = exact ? await keys.authenticate(secret) : await keys.recognise(secret);
  return outcome.kind === "authenticated" ? outcome.principal : REFUSED[outcome.kind];
}

const REFUSED: Record<Exclude<AuthenticateOutcome["kind"], "authenticated">, Problem> = {
  unauthenticated: { problem: "unauthenticated", message: "This API key is not known" },
  key_revoked: { problem: "key_revoked", message: "This API key has been revoked" },
  key_expired: { problem: "key_expired", message: "This API key has expired" },
};

/** The account a call is about: the key's own, or with an admin key the one that is named. */
export function accountFor(
  access: Access,
  principal: Principal,
  named: string | undefined,
): AccountId | null | Problem {
  if (access === "admin") return principal.kind === "admin" ? null : adminRequired;
  if (principal.accountId === null) return named === undefined ? accountRequired : (named as AccountId);
  if (named === undefined || named === principal.accountId) return principal.accountId;
  return { problem: "admin_required", message: "This key belongs to another account", param: "accountId" };
}

const adminRequired: Problem = { problem: "admin_required", message: "This needs an admin key" };
