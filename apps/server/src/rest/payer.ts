import { ORGANIZATION_HEADER, REPOSITORY_HEADER } from "@bursar/contract/headers";
import type { Operation } from "@bursar/contract/operation";
import type { OperationName } from "@bursar/contract/v1";
import type { PayerQuestion } from "@bursar/engine/gate/ports";
import type { Principal } from "@bursar/engine/key/principal";
import { organizationOfAccount } from "@bursar/engine/organization/turn";
import type { Problem } from "./problem.ts";

type Asked = Pick<PayerQuestion, "organizationId" | "repositoryUrl">;

/** What a call says about who pays, in its headers or by the account that it names. */
export function payerAsked(headers: Headers, principal: Principal, named?: string): Asked {
  return {
    organizationId: headers.get(ORGANIZATION_HEADER) ?? organizationNamed(principal, named),
    repositoryUrl: headers.get(REPOSITORY_HEADER),
  };
}

/** A person may name the organization's account instead of the organization. Keys belong to the account or do not, and
 *  an administrator who names it acts as an administrator. */
export function organizationNamed(
  { kind, accountId, person }: Principal,
  named: string | undefined,
): string | null {
  if (named === undefined || named === accountId || person === undefined || kind === "admin") return null;
  return organizationOfAccount(named);
}

export function organizationUnknown(id: string): Problem {
  return { problem: "organization_unknown", message: `You are in no organization ${id}` };
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
  // Their own.
  "getUsage",
  "exportUsage",
]);

/** Members work, admins also look into the books, and what changes the account is the owner's. */
export function mayActFor({ organization }: Principal, { name, method }: Operation): Problem | null {
  if (organization === undefined || organization.role === "owner" || FOR_MEMBERS.has(name)) return null;
  if (organization.role === "admin" && method === "get") return null;
  const needed = method === "get" ? "an owner or admin" : "the owner";
  return { problem: "role_required", message: `Only ${needed} of ${organization.id} may do this` };
}
