import type { AccountId } from "@bursar/contract/ids";
import type { Access } from "@bursar/contract/operation";
import type { AuthenticateOutcome, Keys } from "@bursar/engine/key/keys";
import type { Principal } from "@bursar/engine/key/principal";
import type { Identity, WhoOutcome } from "@bursar/identity/identity";
import { accountRequired } from "./grants.ts";
import type { Problem } from "./problem.ts";

/** Three parts, and the first one is JSON: an access token of a person. No API key looks like that. */
const ACCESS_TOKEN = /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/;

interface AuthenticateDeps {
  readonly keys: Keys;
  readonly identity: Pick<Identity, "authenticate">;
}

/** Who calls: by `Authorization: Bearer <API key or access token>`, or without that header by a session cookie. Nothing
 *  else in a request says who somebody is. `exact` asks the database about a key; without it a key seen moments ago is
 *  enough, because a ledger command follows that checks the key again. */
export async function authenticate(
  deps: AuthenticateDeps,
  headers: Headers,
  exact: boolean,
): Promise<Principal | Problem> {
  const secret = /^Bearer +(\S+)$/i.exec(headers.get("authorization") ?? "")?.[1];
  if (secret === undefined || ACCESS_TOKEN.test(secret)) return authenticatePerson(deps, headers);
  const outcome = exact ? await deps.keys.authenticate(secret) : await deps.keys.recognise(secret);
  return outcome.kind === "authenticated" ? outcome.principal : REFUSED[outcome.kind];
}

async function authenticatePerson(
  { identity }: Pick<AuthenticateDeps, "identity">,
  headers: Headers,
): Promise<Principal | Problem> {
  if (!headers.has("authorization") && !headers.has("cookie")) return NO_CREDENTIALS.missing;
  const who = await identity.authenticate(headers);
  return who.kind === "authenticated" ? principalOf(who) : NO_CREDENTIALS[who.reason];
}

type Signed = Extract<WhoOutcome, { kind: "authenticated" }>;

/** A person acts on their own account; an administrator on any that they name. */
function principalOf({ person, sessionId }: Signed): Principal {
  const { id, accountId, role, email } = person;
  const kind = role === "admin" ? "admin" : "account";
  return {
    kind,
    keyId: null,
    accountId,
    caps: [],
    by: `user:${id}`,
    person: { personId: id, accountId, email },
    sessionId,
  };
}

const REFUSED: Record<Exclude<AuthenticateOutcome["kind"], "authenticated">, Problem> = {
  unauthenticated: { problem: "unauthenticated", message: "This API key is not known" },
  key_revoked: { problem: "key_revoked", message: "This API key has been revoked" },
  key_expired: { problem: "key_expired", message: "This API key has expired" },
};

const NO_CREDENTIALS: Record<"missing" | "invalid" | "expired", Problem> = {
  missing: { problem: "unauthenticated", message: "Send an API key: Authorization: Bearer <key>" },
  invalid: { problem: "unauthenticated", message: "This access token or session is not good here" },
  expired: { problem: "unauthenticated", message: "This access token has expired; refresh it" },
};

/** The account a call is about: the caller's own, or with admin rights the one that is named. */
export function accountFor(
  access: Access,
  principal: Principal,
  named: string | undefined,
): AccountId | null | Problem {
  if (access === "person") return principal.person || principal.kind === "admin" ? null : personRequired;
  if (access === "admin") return principal.kind === "admin" ? null : adminRequired;
  if (named === undefined) return principal.accountId ?? accountRequired;
  if (named === principal.accountId || principal.kind === "admin") return named as AccountId;
  return { problem: "admin_required", message: "This key belongs to another account", param: "accountId" };
}

const adminRequired: Problem = { problem: "admin_required", message: "This needs an admin key" };

export const personRequired: Problem = {
  problem: "person_required",
  message: "Sign in as a person: an API key belongs to an account, and is no member of anything",
};
