import { newOrganizationId } from "@bursar/contract/ids";
import { withTransaction } from "@bursar/database/transaction";
import { createAccount } from "../account/create.ts";
import type { Deps } from "../deps.ts";
import type { Member } from "./decide.ts";
import { findOrganization, insertOrganization, type OrganizationRecord } from "./store.ts";
import { findMember, insertMember } from "./store-members.ts";
import { organizationAccountId } from "./turn.ts";

export interface CreateOrganizationRequest {
  /** `org_…`; the same again is a repetition. */
  readonly id?: string | undefined;
  readonly name: string;
  readonly owner: Member;
  readonly by: string;
}

export type CreateOrganizationOutcome =
  | { readonly kind: "created"; readonly duplicate: boolean; readonly organization: OrganizationRecord }
  | { readonly kind: "organization_exists"; readonly id: string };

/** Makes an organization with its owner, and an account of its own without credits.
 *  Outcomes: organization_exists (under another name or owner), created. Throws: database unreachable; the same id again
 *  is safe, and finishes what a crash has left. */
export async function createOrganization(
  deps: Pick<Deps, "pool" | "clock">,
  request: CreateOrganizationRequest,
): Promise<CreateOrganizationOutcome> {
  const { name, owner, by } = request;
  const id = request.id ?? newOrganizationId();
  const accountId = organizationAccountId(id);
  await createAccount(deps, { id: accountId, name });
  return withTransaction(deps.pool, async (client) => {
    const createdAt = deps.clock.now();
    const isNew = await insertOrganization(client, { id, accountId, name, createdAt, createdBy: by });
    if (isNew) {
      const caps = { day: null, month: null, total: null };
      await insertMember(client, {
        organizationId: id,
        member: owner,
        role: "owner",
        caps,
        joinedAt: createdAt,
      });
    }
    const organization = (await findOrganization(client, id, false))!;
    const holder = await findMember(client, id, owner.personId);
    const isSame = organization.name === name && holder?.role === "owner";
    if (!isSame) return { kind: "organization_exists", id };
    return { kind: "created", duplicate: !isNew, organization };
  });
}
