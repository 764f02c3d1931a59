import type { IncomingMessage } from "node:http";
import type { AccountId } from "@bursar/contract/ids";
import { id } from "@bursar/contract/shapes";
import { accountFor } from "../rest/authenticate.ts";
import { firstIssue } from "../rest/input.ts";
import { isProblem, type Problem } from "../rest/problem.ts";
import {
  type Credential,
  type CredentialDeps,
  checkCredential,
  credentialOf,
  isForeignPage,
  type Known,
} from "./credential.ts";

export interface Admitted {
  readonly kind: "admitted";
  readonly credential: Credential;
  readonly known: Known;
  readonly accountId: AccountId;
}

/** Who may open a socket, and for which account: the caller's own, or with admin rights the one named by `?accountId=`.
 *  Throws when it cannot be known. */
export async function admit(deps: CredentialDeps, request: IncomingMessage): Promise<Admitted | Problem> {
  const credential = credentialOf(request);
  if (isForeignPage(request, credential, deps.identity.url())) return foreignPage;
  const known = await checkCredential(deps, credential);
  if (isProblem(known)) return known;
  const named = new URL(request.url ?? "/", "http://socket").searchParams.get("accountId") ?? undefined;
  const read = id.optional().safeParse(named);
  if (!read.success) return firstIssue(read.error, "accountId");
  const accountId = accountFor("account", known.principal, named);
  if (isProblem(accountId)) return accountId;
  return { kind: "admitted", credential, known, accountId: accountId as AccountId };
}

const foreignPage: Problem = {
  problem: "cross_origin",
  message: "A socket with a session cookie must come from a page of this server (header Origin)",
};
