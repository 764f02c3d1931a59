import type { AccountId } from "@bursar/contract/ids";
import type { Deps } from "../deps.ts";
import type { Cap } from "../ledger/command.ts";
import { capsOf } from "./caps.ts";
import type { OrganizationRole } from "./decide.ts";
import { readRepository } from "./repository.ts";
import { membershipsFor } from "./store-payer.ts";

export interface PayerRequest {
  readonly personId: string;
  /** The organization that is to pay, by its id. */
  readonly organizationId?: string | undefined;
  /** What the work is on. */
  readonly repositoryUrl?: string | undefined;
}

export type Payer =
  /** The person, from their own account. */
  | { readonly kind: "own" }
  | {
      readonly kind: "organization";
      readonly organizationId: string;
      readonly accountId: AccountId;
      /** What this member may use of its credits; the ledger holds them to it. */
      readonly caps: readonly Cap[];
      readonly role: OrganizationRole;
    }
  | { readonly kind: "organization_unknown"; readonly id: string }
  | { readonly kind: "repository_invalid"; readonly message: string }
  /** The organization that was named has nothing to do with this repository. */
  | { readonly kind: "repository_unknown"; readonly repository: string }
  /** Several organizations of this person have the repository. */
  | { readonly kind: "organization_ambiguous"; readonly ids: readonly string[] };

/** Whose credits pay for a person's work. An organization's pay only for its own: where it is named by a member, or
 *  where the work is on one of its repositories. All other work is the person's own, the owner's too.
 *  Outcomes, first match wins: repository_invalid, organization_unknown (also for those who are no members),
 *  repository_unknown, organization_ambiguous, organization, own. Throws: database unreachable, which is a no. */
export async function payerFor(deps: Pick<Deps, "pool">, request: PayerRequest): Promise<Payer> {
  const { personId, organizationId, repositoryUrl } = request;
  if (organizationId === undefined && repositoryUrl === undefined) return { kind: "own" };
  const read = repositoryUrl === undefined ? null : readRepository(repositoryUrl);
  if (read?.kind === "invalid") return { kind: "repository_invalid", message: read.message };
  const repository = read?.name ?? null;
  const found = await membershipsFor(deps.pool, {
    personId,
    organizationId: organizationId ?? null,
    repository,
  });
  if (organizationId !== undefined && found.length === 0)
    return { kind: "organization_unknown", id: organizationId };
  const mapped = found.filter(({ hasRepository }) => repository === null || hasRepository);
  const [membership, ...others] = mapped;
  if (membership === undefined)
    return organizationId === undefined
      ? { kind: "own" }
      : { kind: "repository_unknown", repository: repository! };
  if (others.length > 0)
    return { kind: "organization_ambiguous", ids: mapped.map(({ organizationId: id }) => id) };
  const { accountId, role } = membership;
  return {
    kind: "organization",
    organizationId: membership.organizationId,
    accountId,
    caps: capsOf(membership),
    role,
  };
}
