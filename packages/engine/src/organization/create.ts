import { newOrganizationId } from "@bursar/contract/ids";
import { withTransaction } from "@bursar/database/transaction";
import { insertAccount } from "../account/store.ts";
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

/** Makes an organization with its owner, and an account of its own without credits: one that is there already is
 *  somebody's, and never becomes an organization's.
 *  Outcomes: organization_exists (under another name or owner, or its account without it), created. Throws: database
 *  unreachable; the same id again is safe. */
export async function createOrganization(
  deps: Pick<Deps, "pool" | "clock">,
  request: CreateOrganizationRequest,
): Promise<CreateOrganizationOutcome> {
  const { name, owner, by } = request;
  const id = request.id ?? newOrganizationId();
  const accountId = organizationAccountId(id);
  return withTransaction(deps.pool, async (client) => {
    const createdAt = deps.clock.now();
    const isNew = await insertAccount(client, { id: accountId, name, alertBelow: null, createdAt });
    if (isNew) {
      await insertOrganization(client, { id, accountId, name, createdAt, createdBy: by });
      const caps = { day: null, month: null, total: null };
      await insertMember(client, {
        organizationId: id,
        member: owner,
        role: "owner",
        caps,
        joinedAt: createdAt,
      });
    }
    const organization = await findOrganization(client, id, false);
    const holder = await findMember(client, id, owner.personId);
    if (organization?.name !== name || holder?.role !== "owner") return { kind: "organization_exists", id };
    return { kind: "created", duplicate: !isNew, organization };
  });
}
