import type { Deps } from "../deps.ts";
import type { MemberCaps } from "./decide.ts";
import { type OrganizationRecord, updateOrganization } from "./store.ts";
import { type Denied, type InOrganization, takeTurn } from "./turn.ts";

export interface ChangeOrganizationRequest extends InOrganization {
  readonly name?: string | undefined;
  /** For those who join from now on; what is left out stays. */
  readonly defaultCaps?: Partial<MemberCaps> | undefined;
}

export type ChangeOrganizationOutcome =
  | { readonly kind: "changed"; readonly organization: OrganizationRecord }
  | Denied;

/** Renames an organization, or sets what newcomers may use. */
export function changeOrganization(
  deps: Pick<Deps, "pool" | "clock">,
  request: ChangeOrganizationRequest,
): Promise<ChangeOrganizationOutcome> {
  const { name, defaultCaps = {} } = request;
  return takeTurn(deps, request, "change", async ({ client, organization }) => {
    const { day, month, total } = defaultCaps;
    const changed = {
      ...organization,
      name: name ?? organization.name,
      defaultDay: day === undefined ? organization.defaultDay : day,
      defaultMonth: month === undefined ? organization.defaultMonth : month,
      defaultTotal: total === undefined ? organization.defaultTotal : total,
    };
    await updateOrganization(client, changed);
    return { kind: "changed", organization: changed };
  });
}
