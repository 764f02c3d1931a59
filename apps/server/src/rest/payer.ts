import { ID_PATTERN } from "@bursar/contract/ids";
import type { Operation } from "@bursar/contract/operation";
import type { OperationName } from "@bursar/contract/v1";
import type { Principal } from "@bursar/engine/key/keys";
import { type Payer, payerFor } from "@bursar/engine/organization/payer";
import { organizationAccountId, organizationOfAccount } from "@bursar/engine/organization/turn";
import type { RestDeps } from "./context.ts";
import type { Problem } from "./problem.ts";

const ORGANIZATION = "x-bursar-organization";
const REPOSITORY = "x-bursar-repository";

/** The caller as whoever pays: an organization where a header or the account names it, or where the repository is one of
 *  its own; else as they are. Caps of a member come along, and the ledger holds them to it.
 *  `named`: the account that the call names. */
export async function asPayer(
  deps: Pick<RestDeps, "pool">,
  principal: Principal,
  headers: Headers,
  named?: string,
): Promise<Principal | Problem> {
  const { person } = principal;
  const header = headers.get(ORGANIZATION) ?? undefined;
  if (header !== undefined && !ID_PATTERN.test(header)) return badHeader;
  const repositoryUrl = headers.get(REPOSITORY) ?? undefined;
  if (person === undefined) return header === undefined ? principal : keyOf(principal, header);
  const organizationId = header ?? organizationNamed(principal, named);
  const payer = await payerFor(deps, { personId: person.personId, organizationId, repositoryUrl });
  if (payer.kind === "own") return principal;
  if (payer.kind !== "organization") return refusedPayer(payer);
  const { accountId, caps, role } = payer;
  return { ...principal, accountId, caps, organization: { id: payer.organizationId, role } };
}

const badHeader: Problem = {
  problem: "invalid_request",
  message: `${ORGANIZATION}: must be the id of an organization`,
  param: ORGANIZATION,
};

/** A key is one account's. An administrator's may act for any. */
function keyOf(principal: Principal, organizationId: string): Principal | Problem {
  const accountId = organizationAccountId(organizationId);
  if (principal.accountId === accountId) return principal;
  if (principal.kind === "admin") return { ...principal, accountId };
  return organizationUnknown(organizationId);
}

/** A member may also name the account. An administrator who does so acts as an administrator. */
function organizationNamed({ kind, accountId }: Principal, named: string | undefined): string | undefined {
  if (named === undefined || named === accountId || kind === "admin") return undefined;
  return organizationOfAccount(named) ?? undefined;
}

export function organizationUnknown(id: string): Problem {
  return {
    problem: "organization_unknown",
    message: `You are in no organization ${id}`,
    param: "organizationId",
  };
}

type RefusedPayer = Exclude<Payer, { kind: "own" } | { kind: "organization" }>;

function refusedPayer(payer: RefusedPayer): Problem {
  switch (payer.kind) {
    case "organization_unknown":
      return organizationUnknown(payer.id);
    case "repository_invalid":
      return { problem: "invalid_request", message: `${REPOSITORY}: ${payer.message}`, param: REPOSITORY };
    case "repository_unknown": {
      const message = `${payer.repository} is none of the organization's repositories, and it pays only for its own work`;
      return { problem: "repository_unknown", message, param: REPOSITORY };
    }
    case "organization_ambiguous": {
      const message = `Several of your organizations have this repository: name one in ${ORGANIZATION}`;
      return { problem: "organization_ambiguous", message, param: ORGANIZATION, extra: { ids: payer.ids } };
    }
  }
}

/** What every member may do on the organization's account. */
const FOR_MEMBERS: ReadonlySet<string> = new Set<OperationName>([
  "getBalance",
  "check",
  "createHold",
  "extendHold",
  "settleHold",
  "releaseHold",
  "spend",
  "batch",
  "createRun",
  "getRun",
  "endRun",
]);

/** Members work, admins also look into the books, and what changes the account is the owner's. */
export function mayActFor({ organization }: Principal, { name, method }: Operation): Problem | null {
  if (organization === undefined || organization.role === "owner" || FOR_MEMBERS.has(name)) return null;
  if (organization.role === "admin" && method === "get") return null;
  const needed = method === "get" ? "an owner or admin" : "the owner";
  return { problem: "role_required", message: `Only ${needed} of ${organization.id} may do this` };
}
