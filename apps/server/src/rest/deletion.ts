import type { AnswerOf } from "@bursar/contract/operation";
import { credits, iso } from "@bursar/contract/shapes";
import type { v1 } from "@bursar/contract/v1";
import { type Balance, balance } from "@bursar/engine/balance/balance";
import { countOpenHolds } from "@bursar/engine/hold/store";
import { listOrganizations } from "@bursar/engine/organization/store";
import { isGranted } from "@bursar/engine/payment/payment";
import { returnableUntil } from "@bursar/engine/payment/refund";
import { listPayments } from "@bursar/engine/payment/store";
import { RUN_PREFIX } from "@bursar/engine/run/run";
import { openSubscription } from "@bursar/engine/subscription/subscribe";
import { view } from "@bursar/engine/subscription/view";
import { readPolicy } from "@bursar/engine/topup/store-policies";
import type { BeginDeletionOutcome } from "@bursar/identity/deletion/begin";
import type { Person } from "@bursar/identity/person";
import { FRESH_SECONDS, type ProveOutcome } from "@bursar/identity/sign-in/prove";
import { carryOnDeletion } from "../identity/deletion.ts";
import type { Call, Handler, RestDeps } from "./context.ts";
import { isProblem, type Problem } from "./problem.ts";

type Preview = AnswerOf<typeof v1.previewDeletion>;

export const previewDeletion: Handler<"previewDeletion"> = async ({ deps, principal }) => {
  const person = await personOf(deps, principal);
  if (isProblem(person)) return person;
  const { id, accountId, username, email } = person;
  const [found, work, policy, organizations, proof] = await Promise.all([
    balanceOf(deps, person),
    countOpenHolds(deps.pool, accountId, RUN_PREFIX),
    readPolicy(deps.pool, accountId),
    listOrganizations(deps.pool, { personId: id, isAll: false }),
    deps.identity.proofOf(id),
  ]);
  return {
    answer: {
      ...{ accountId, username, email },
      loses: credits(lostWith(found)),
      available: credits(found.available),
      held: credits(found.held),
      owed: credits(found.owed),
      returnable: await returnable(deps, found),
      subscription: await endingPlan(deps, person),
      topUp: policy?.enabled === true,
      holds: work.others,
      runs: work.named,
      organizations: organizations.map(({ role, ...each }) => ({
        id: each.id,
        name: each.name,
        role: role!,
      })),
      stoppedBy: stoppedBy(person, organizations).map(({ problem: code, message }) => ({ code, message })),
      proof: { password: proof.password, totpCode: proof.code },
    },
  };
};

/** Nobody is deleted by a program that has a key, or by an administrator in their name. */
async function personOf(
  { identity }: Pick<RestDeps, "identity">,
  { person }: Call<"deletePerson">["principal"],
): Promise<Person | Problem> {
  if (person === undefined) return PERSON_REQUIRED;
  return (await identity.people.find(person.personId)) ?? GONE;
}

const PERSON_REQUIRED: Problem = {
  problem: "person_required",
  message: "Sign in as the person who is to be deleted: a key deletes nobody",
};

const GONE: Problem = { problem: "unauthenticated", message: "Whose sign-in this was is deleted already" };

async function balanceOf(deps: RestDeps, { accountId }: Person): Promise<Balance> {
  return (await balance(deps, accountId))!;
}

/** What is held may come back, and then nobody is there to use it. */
const lostWith = ({ available, held }: Balance) => available + held;

const PAYMENTS_LIMIT = 200;

async function returnable(deps: RestDeps, { accountId, grants }: Balance): Promise<Preview["returnable"]> {
  const now = deps.clock.now();
  const page = { accountId, kind: null, limit: PAYMENTS_LIMIT, after: null };
  const left = new Map<string, bigint>(grants.map(({ id, remaining }) => [id, remaining]));
  return (await listPayments(deps.pool, page)).flatMap((payment) => {
    const remaining = left.get(payment.grantId);
    const until = returnableUntil(payment);
    if (remaining === undefined || !isGranted(payment.state) || until < now) return [];
    return [{ paymentId: payment.id, credits: credits(remaining), until: iso(until)! }];
  });
}

async function endingPlan(deps: RestDeps, { accountId }: Person): Promise<Preview["subscription"]> {
  const found = await openSubscription(deps, accountId);
  if (found === null) return null;
  const { plan } = await view(deps, found);
  return { id: found.id, name: plan.name, endsAt: found.state === "active" ? iso(found.periodEnd) : null };
}

interface Belonging {
  readonly id: string;
  readonly name: string;
  readonly role: string | null;
}

/** Whatever stands in the way, the first that the deletion would be refused for first. */
function stoppedBy({ role }: Pick<Person, "role">, organizations: readonly Belonging[]): Problem[] {
  const owned = organizations.filter((organization) => organization.role === "owner");
  return [
    ...(role === "admin" ? [IS_ADMINISTRATOR] : []),
    ...(owned.length > 0 ? [ownerNeeded(owned.map(({ id, name }) => `${id} (${name})`))] : []),
  ];
}

const IS_ADMINISTRATOR: Problem = {
  problem: "is_administrator",
  message:
    "You are an administrator, and one must be left: have another one take the role from you first, or delete you",
};

const ownerNeeded = (named: readonly string[]): Problem => ({
  problem: "owner_needed",
  message: `You own ${named.join(", ")}: transfer that to another member first`,
});

/** What the caller confirms is what is lost, and not a name: who they are the password proves, and nothing else would say
 *  that they know of the credits that have come since they looked. */
export const deletePerson: Handler<"deletePerson"> = async (call) => {
  const { deps, principal, body } = call;
  const person = await personOf(deps, principal);
  if (isProblem(person)) return person;
  const organizations = await listOrganizations(deps.pool, { personId: person.id, isAll: false });
  const [stopped] = stoppedBy(person, organizations);
  if (stopped !== undefined) return stopped;
  const loses = lostWith(await balanceOf(deps, person));
  if (loses > body.confirm) return moreIsLost(loses);
  const unproved = proofProblem(await proved(call, person));
  if (unproved !== null) return unproved;
  const refused = refusalOf(await deps.identity.beginDeletion(person.id));
  if (refused !== null) return refused;
  const isOver = await carryOnDeletion(deps, person);
  return { answer: { accountId: person.accountId, state: isOver ? "deleted" : "under_way" } };
};

function moreIsLost(loses: bigint): Problem {
  const message = `confirm: ${credits(loses)} credits would be lost; say so, or give unused purchases back first`;
  return { problem: "more_is_lost", message, param: "confirm" };
}

function proved(
  { deps, principal, body, address }: Call<"deletePerson">,
  { id }: Person,
): Promise<ProveOutcome> {
  const { password, totpCode: code } = body;
  const sessionId = principal.sessionId ?? "";
  return deps.identity.prove({ personId: id, sessionId, address, password, code });
}

function proofProblem(outcome: ProveOutcome): Problem | null {
  switch (outcome.kind) {
    case "proved":
      return null;
    case "sign_in_required":
      return SIGN_IN_REQUIRED;
    case "password_required":
      return { problem: "password_refused", message: "password: is required", param: "password" };
    case "password_wrong":
      return { problem: "password_refused", message: "password: is wrong", param: "password" };
    case "code_required": {
      const message = "totpCode: is required, six digits from your authenticator";
      return { problem: "totp_refused", message, param: "totpCode" };
    }
    case "code_wrong": {
      const message = "totpCode: is wrong or was used before; wait for the next one";
      return { problem: "totp_refused", message, param: "totpCode" };
    }
    case "limited": {
      const { retryAfterSeconds } = outcome;
      const message = `Too many wrong ${outcome.of}s; try again in ${retryAfterSeconds} s`;
      const param = outcome.of === "code" ? "totpCode" : "password";
      return { problem: "rate_limited", message, param, retryAfterSeconds };
    }
  }
}

const SIGN_IN_REQUIRED: Problem = {
  problem: "sign_in_required",
  message: `You have no password, so sign in anew: sign out in the browser, sign in there, and ask within ${FRESH_SECONDS / 60} minutes; with bursar, by a new bursar login`,
};

/** Somebody who has gone meanwhile is deleted all the same. */
function refusalOf(outcome: BeginDeletionOutcome): Problem | null {
  if (outcome.kind === "is_administrator") return IS_ADMINISTRATOR;
  return outcome.kind === "owner_needed" ? ownerNeeded(outcome.ids) : null;
}
