import { credits, iso } from "@bursar/contract/shapes";
import { setCaps } from "@bursar/engine/organization/caps";
import { changeOrganization as change } from "@bursar/engine/organization/change";
import { createOrganization as create } from "@bursar/engine/organization/create";
import type { Member, MemberCaps } from "@bursar/engine/organization/decide";
import * as engine from "@bursar/engine/organization/members";
import { type ListedOrganization, listOrganizations as list } from "@bursar/engine/organization/store";
import { personRequired } from "./authenticate.ts";
import type { Call, Handler, RestDeps } from "./context.ts";
import {
  actorOf,
  capsShown,
  denied,
  inOrganization,
  memberUnknown,
  ownerNeeded,
  useShown,
} from "./organization-answers.ts";
import { organizationUnknown } from "./payer.ts";
import { isProblem, type Problem } from "./problem.ts";

export const createOrganization: Handler<"createOrganization"> = async (call) => {
  const { deps, body, principal, idempotencyKey } = call;
  const owner = await ownerOf(call);
  if (isProblem(owner)) return owner;
  const id = body.id ?? idempotencyKey;
  const outcome = await create(deps, { id, name: body.name, owner, by: principal.by });
  if (outcome.kind === "organization_exists")
    return {
      problem: "organization_exists",
      message: `There is another organization ${outcome.id}`,
      param: "id",
    };
  const shown = await show(call, outcome.organization.id);
  if (isProblem(shown)) return shown;
  return { ...shown, repeated: outcome.duplicate, accountId: outcome.organization.accountId };
};

/** Whoever calls; an administrator may name somebody else, and with a key must. */
async function ownerOf({ deps, body, principal }: Call<"createOrganization">): Promise<Member | Problem> {
  const { ownerId } = body;
  if (ownerId === undefined) return principal.person ?? ownerRequired;
  if (principal.kind !== "admin")
    return {
      problem: "admin_required",
      message: "Only administrators make organizations for others",
      param: "ownerId",
    };
  const person = await deps.identity.people.find(ownerId);
  if (person === null)
    return { problem: "person_unknown", message: `There is nobody called ${ownerId}`, param: "ownerId" };
  return { personId: person.id, accountId: person.accountId, email: person.email };
}

const ownerRequired: Problem = {
  problem: "invalid_request",
  message: "is required with an admin key: who is to own it",
  param: "ownerId",
};

/** One organization as whoever asks sees it. */
async function show(
  call: Pick<Call<"getOrganization">, "deps" | "principal">,
  id: string,
): Promise<{ readonly answer: ReturnType<typeof organizationAnswer> } | Problem> {
  const { personId, isAdmin: isAll } = actorOf(call);
  const [found] = await list(call.deps.pool, { personId, isAll, id });
  return found === undefined ? organizationUnknown(id) : { answer: organizationAnswer(found) };
}

export function organizationAnswer(found: ListedOrganization) {
  const { id, accountId, name, role, members, available, held, owed, createdAt } = found;
  const defaultCaps = capsShown({
    day: found.defaultDay,
    month: found.defaultMonth,
    total: found.defaultTotal,
  });
  const amounts = { available: credits(available), held: credits(held), owed: credits(owed) };
  return { id, accountId, name, role, members, ...amounts, defaultCaps, createdAt: iso(createdAt)! };
}

export const listOrganizations: Handler<"listOrganizations"> = async (call) => {
  const { personId, isAdmin: isAll } = actorOf(call);
  return {
    answer: { organizations: (await list(call.deps.pool, { personId, isAll })).map(organizationAnswer) },
  };
};

export const getOrganization: Handler<"getOrganization"> = (call) => show(call, call.params.id);

export const changeOrganization: Handler<"changeOrganization"> = async (call) => {
  const { name, defaultCaps } = call.body;
  const caps = defaultCaps === undefined ? undefined : given(defaultCaps);
  const outcome = await change(call.deps, { ...inOrganization(call), name, defaultCaps: caps });
  return outcome.kind === "changed" ? show(call, call.params.id) : denied(outcome);
};

type CapFields = { readonly [Window in keyof MemberCaps]?: MemberCaps[Window] | undefined };

/** The caps that were named. */
function given({ day, month, total }: CapFields): Partial<MemberCaps> {
  return {
    ...(day === undefined ? {} : { day }),
    ...(month === undefined ? {} : { month }),
    ...(total === undefined ? {} : { total }),
  };
}

export const listMembers: Handler<"listMembers"> = async (call) => {
  const outcome = await engine.members(call.deps, inOrganization(call));
  if (outcome.kind !== "members") return denied(outcome);
  const shown = outcome.members.map(async ({ personId, role, joinedAt, used, ...caps }) => {
    const person = await call.deps.identity.people.find(personId);
    const facts = { id: personId, name: person?.name ?? null, email: person?.email ?? null, role };
    const use = used === null ? null : useShown(used);
    return { ...facts, caps: capsShown(caps), used: use, joinedAt: iso(joinedAt)! };
  });
  return { answer: { members: await Promise.all(shown) } };
};

/** The id of whoever is named; who is unknown is no member either. */
async function personIdOf({ identity }: Pick<RestDeps, "identity">, named: string): Promise<string> {
  return (await identity.people.find(named))?.id ?? named;
}

/** Of somebody who is no member it says no more than was said: their id would tell that they are here. */
function changed(id: string, memberId: string, outcome: engine.MemberOutcome, named: string) {
  switch (outcome.kind) {
    case "done":
      return { answer: { id, memberId } };
    case "member_unknown":
      return memberUnknown(named);
    case "owner_needed":
      return ownerNeeded;
    default:
      return denied(outcome);
  }
}

export const setMemberRole: Handler<"setMemberRole"> = async (call) => {
  const personId = await personIdOf(call.deps, call.body.memberId);
  const outcome = await engine.setRole(call.deps, {
    ...inOrganization(call),
    personId,
    role: call.body.role,
  });
  return changed(call.params.id, personId, outcome, call.body.memberId);
};

export const setMemberCaps: Handler<"setMemberCaps"> = async (call) => {
  const { memberId, ...fields } = call.body;
  const personId = await personIdOf(call.deps, memberId);
  const outcome = await setCaps(call.deps, { ...inOrganization(call), personId, caps: given(fields) });
  switch (outcome.kind) {
    case "set":
      return {
        answer: {
          id: call.params.id,
          memberId: personId,
          caps: capsShown(outcome.caps),
          used: useShown(outcome.used),
        },
      };
    case "member_unknown":
      return memberUnknown(memberId);
    case "cap_below_use": {
      const { window, used } = outcome;
      const message = `is below the ${credits(used)} credits that are used already; 0 stops the member at once`;
      return { problem: "cap_below_use", message, param: window, extra: { used: credits(used) } };
    }
    default:
      return denied(outcome);
  }
};

export const removeMember: Handler<"removeMember"> = async (call) => {
  const personId = await personIdOf(call.deps, call.body.memberId);
  const outcome = await engine.removeMember(call.deps, { ...inOrganization(call), personId });
  return changed(call.params.id, personId, outcome, call.body.memberId);
};

export const leaveOrganization: Handler<"leaveOrganization"> = async (call) => {
  const personId = call.principal.person?.personId;
  if (personId === undefined) return personRequired;
  const outcome = await engine.leave(call.deps, { ...inOrganization(call), personId });
  return changed(call.params.id, personId, outcome, personId);
};

export const transferOrganization: Handler<"transferOrganization"> = async (call) => {
  const personId = await personIdOf(call.deps, call.body.memberId);
  const outcome = await engine.transfer(call.deps, { ...inOrganization(call), personId });
  return changed(call.params.id, personId, outcome, call.body.memberId);
};
