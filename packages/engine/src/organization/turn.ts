import type { AccountId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import { withTransaction } from "@bursar/database/transaction";
import type { Deps } from "../deps.ts";
import type { Queryable } from "../mail/store.ts";
import { type Action, mayDo, type OrganizationRole } from "./decide.ts";
import { findOrganization, type OrganizationRecord } from "./store.ts";
import { findMember } from "./store-members.ts";

/** Who does something in an organization. */
export interface Actor {
  /** null for an admin key. */
  readonly personId: string | null;
  /** An administrator of the whole product. */
  readonly isAdmin: boolean;
  /** How records name them. */
  readonly by: string;
}

export interface InOrganization {
  readonly organizationId: string;
  readonly actor: Actor;
}

export type Denied =
  /** Also for those who are no members: whether it exists is not their business. */
  | { readonly kind: "organization_unknown"; readonly id: string }
  | { readonly kind: "role_required"; readonly role: OrganizationRole; readonly action: Action };

/** One change of an organization, alone with it until the transaction ends. */
export interface Turn {
  readonly client: Queryable;
  readonly organization: OrganizationRecord;
  readonly role: OrganizationRole;
  readonly now: Instant;
}

/** Does a change in an organization's turn, if the actor's role allows the action. Everything that roles forbid is
 *  forbidden here. Throws: what the work throws; database unreachable. */
export function takeTurn<Outcome>(
  deps: Pick<Deps, "pool" | "clock">,
  request: InOrganization,
  action: Action,
  work: (turn: Turn) => Promise<Outcome>,
): Promise<Outcome | Denied> {
  return withTransaction(deps.pool, async (client) => {
    const allowed = await admit(client, request, action, true);
    if ("kind" in allowed) return allowed;
    return work({ client, now: deps.clock.now(), ...allowed });
  });
}

/** The same for looking, which waits for nobody. */
export async function lookInto<Outcome>(
  deps: Pick<Deps, "pool" | "clock">,
  request: InOrganization,
  action: Action,
  work: (turn: Turn) => Promise<Outcome>,
): Promise<Outcome | Denied> {
  const allowed = await admit(deps.pool, request, action, false);
  if ("kind" in allowed) return allowed;
  return work({ client: deps.pool, now: deps.clock.now(), ...allowed });
}

async function admit(
  client: Queryable,
  { organizationId: id, actor }: InOrganization,
  action: Action,
  locks: boolean,
): Promise<Denied | Pick<Turn, "organization" | "role">> {
  const organization = await findOrganization(client, id, locks);
  if (organization === null) return { kind: "organization_unknown", id };
  const role = actor.isAdmin ? "owner" : await roleOf(client, id, actor.personId);
  if (role === null) return { kind: "organization_unknown", id };
  return mayDo(role, action) ? { organization, role } : { kind: "role_required", role, action };
}

async function roleOf(
  client: Queryable,
  organizationId: string,
  personId: string | null,
): Promise<OrganizationRole | null> {
  const member = personId === null ? null : await findMember(client, organizationId, personId);
  return member?.role ?? null;
}

const PREFIX = "acct_org_";

/** An organization's account is named after it, so that either is found by the other. */
export function organizationAccountId(organizationId: string): AccountId {
  return `acct_${organizationId}` as AccountId;
}

/** Whose account this is, if it is an organization's. */
export function organizationOfAccount(accountId: string): string | null {
  return accountId.startsWith(PREFIX) ? accountId.slice("acct_".length) : null;
}
