import { mayDepart } from "@bursar/engine/organization/depart";
import { PaymentsUnavailable } from "@bursar/engine/payment/payments";
import { isEmail, isUsername } from "@bursar/identity/people/naming";
import type { ChangePersonOutcome, CreatePersonRequest } from "@bursar/identity/people/people";
import { type Person, ROLES, type Role } from "@bursar/identity/person";
import { pickShort, recordedAs } from "../../administration/compat.ts";
import { type DeletePersonOutcome, deletePerson } from "../../identity/deletion.ts";
import { type AuthRouteDeps, userOf } from "./auth-answers.ts";
import type { CreditCheckDeps } from "./deps.ts";
import { type FieldProblem, fields, isFieldProblem, message, text } from "./fields.ts";
import type { Route, RouteCall } from "./route.ts";

const BATCH_LIMIT = 100;
const PAGE_LIMIT = 200;

/** What administrators do with people. */
export function adminRoutes(deps: CreditCheckDeps): Route[] {
  const admin = (
    method: Route["method"],
    path: string,
    handle: (call: RouteCall) => Promise<Response>,
  ): Route => ({
    method,
    path: `/api/auth/admin${path}`,
    access: ["admin"],
    handle,
  });
  return [
    admin("get", "/users", (call) => list(deps, call)),
    {
      ...admin("post", "/users", (call) => create(deps, call)),
      recorded: recordedAs("createUser", ...NAMING),
    },
    {
      ...admin("post", "/users/batch", (call) => createMany(deps, call)),
      recorded: { operation: "createUsers", kept: ({ users }) => ({ users: namesOf(users) }) },
    },
    admin("get", "/users/:userId", (call) => show(deps, call)),
    {
      ...admin("put", "/users/:userId/role", (call) => changeRole(deps, call)),
      recorded: recordedAs("changeUserRole", "role"),
    },
    {
      ...admin("put", "/users/:userId/disabled", (call) => changeDisabled(deps, call)),
      recorded: recordedAs("changeUserDisabled", "disabled"),
    },
    {
      ...admin("delete", "/users/:userId", (call) => remove(deps, call)),
      recorded: recordedAs("deleteUser"),
    },
    {
      ...admin("post", "/keys/rotate", async () =>
        Response.json(await deps.identity.keys.rotate(), { status: 201 }),
      ),
      recorded: recordedAs("rotateSigningKeys"),
    },
  ];
}

/** What a new person is called; never the password. */
const NAMING = ["username", "email", "name", "role"];

function namesOf(users: unknown): unknown[] {
  return Array.isArray(users) ? users.slice(0, BATCH_LIMIT).map((user) => pickShort(user, NAMING)) : [];
}

async function list({ identity }: AuthRouteDeps, { context }: RouteCall): Promise<Response> {
  const { role, limit = "50", cursor } = context.req.query();
  if (role !== undefined && !isRole(role)) return message(400, `role: must be one of ${ROLES.join(", ")}`);
  if (!/^\d{1,3}$/.test(limit) || +limit < 1 || +limit > PAGE_LIMIT) {
    return message(400, `limit: must be 1 to ${PAGE_LIMIT}`);
  }
  const page = await identity.people.list({
    limit: +limit,
    ...(role === undefined ? {} : { role }),
    ...(cursor === undefined ? {} : { cursor }),
  });
  return Response.json({ users: page.people.map(userOf), nextCursor: page.nextCursor });
}

async function create({ identity }: AuthRouteDeps, { body, concerns }: RouteCall): Promise<Response> {
  const input = personFields(body);
  if (isFieldProblem(input)) return message(input.status, input.message);
  const outcome = await identity.people.create(input);
  if (outcome.kind === "taken") return message(409, `${outcome.field}: belongs to somebody already`);
  concerns(outcome.person.accountId);
  return Response.json({ message: "User created", user: userOf(outcome.person) }, { status: 201 });
}

/** Each on its own: one that cannot be made keeps none of the others from it. */
async function createMany({ identity }: AuthRouteDeps, { body }: RouteCall): Promise<Response> {
  const { users } = body;
  if (!Array.isArray(users) || users.length === 0 || users.length > BATCH_LIMIT) {
    return message(400, `users: must be a list of 1 to ${BATCH_LIMIT} users`);
  }
  const created = [];
  const failed = [];
  for (const [index, user] of (users as unknown[]).entries()) {
    const input = personFields(Object(user) as Record<string, unknown>);
    const outcome = isFieldProblem(input) ? input : await identity.people.create(input);
    if ("person" in outcome) created.push(userOf(outcome.person));
    else if ("field" in outcome)
      failed.push({ index, message: `${outcome.field}: belongs to somebody already` });
    else failed.push({ index, message: outcome.message });
  }
  const summary = `${created.length} of ${users.length} users created`;
  return Response.json({ message: summary, created, failed }, { status: created.length === 0 ? 422 : 201 });
}

function personFields(body: Readonly<Record<string, unknown>>): CreatePersonRequest | FieldProblem {
  const input = fields(body, {
    username: text("3 to 64 letters, digits or _ . -", "optional"),
    email: text("an e-mail address", "optional"),
    name: text("a name", "optional"),
    password: text("a password of 8 to 128 characters", "optional"),
    role: text(`one of ${ROLES.join(", ")}`, "optional"),
  });
  if (isFieldProblem(input)) return input;
  const { username, email, password, role = "user" } = input;
  if (username === undefined && email === undefined)
    return { status: 400, message: "username: is required, or email" };
  if (username !== undefined && !isUsername(username)) {
    return { status: 422, message: "username: must be 3 to 64 letters, digits or _ . -" };
  }
  if (email !== undefined && !isEmail(email))
    return { status: 422, message: "email: must be an e-mail address" };
  if (password !== undefined && (password.length < 8 || password.length > 128)) {
    return { status: 422, message: "password: must be 8 to 128 characters" };
  }
  if (!isRole(role)) return { status: 422, message: `role: must be one of ${ROLES.join(", ")}` };
  // An administrator vouches for the address, unless they say otherwise.
  return { ...input, role, emailVerified: body.emailVerified !== false };
}

async function show({ identity }: AuthRouteDeps, { context }: RouteCall): Promise<Response> {
  const person = await identity.people.find(context.req.param("userId")!);
  return person === null ? unknown() : Response.json({ user: userOf(person) });
}

async function changeRole(
  { identity }: AuthRouteDeps,
  { context, person, body, concerns }: RouteCall,
): Promise<Response> {
  const { role } = body;
  if (typeof role !== "string" || !isRole(role))
    return message(400, `role: must be one of ${ROLES.join(", ")}`);
  const target = await identity.people.find(context.req.param("userId")!);
  if (target === null) return unknown();
  concerns(target.accountId);
  if (target.id === person!.id) return ownAccount("change the role of");
  const outcome = await identity.people.setRole(target.id, role);
  if (outcome.kind !== "changed") return notChanged(outcome);
  return Response.json({ message: "Role changed", user: userOf(outcome.person) });
}

async function changeDisabled(
  { identity }: AuthRouteDeps,
  { context, person, body, concerns }: RouteCall,
): Promise<Response> {
  const { disabled } = body;
  if (typeof disabled !== "boolean") return message(400, "disabled: must be true or false");
  const target = await identity.people.find(context.req.param("userId")!);
  if (target === null) return unknown();
  concerns(target.accountId);
  if (target.id === person!.id) return ownAccount("disable");
  const outcome = await identity.people.setDisabled(target.id, disabled);
  if (outcome.kind !== "changed") return notChanged(outcome);
  return Response.json({
    message: disabled ? "User disabled" : "User enabled",
    user: userOf(outcome.person),
  });
}

async function remove(deps: CreditCheckDeps, { context, person, concerns }: RouteCall): Promise<Response> {
  const { people } = deps.identity;
  const target = await people.find(context.req.param("userId")!);
  if (target === null) return unknown();
  concerns(target.accountId);
  if (target.id === person!.id) return ownAccount("delete");
  // Nothing is undone when a later step refuses: so those that may, come first.
  const owned = await mayDepart(deps, target.id);
  if (owned.kind === "owner_needed") return ownerNeeded(owned.ids);
  // Of administrators who delete one another one stays, with all that they have.
  const isAdmin = target.role === "admin";
  const demoted = isAdmin ? await people.setRole(target.id, "user") : null;
  if (demoted !== null && demoted.kind !== "changed") return notChanged(demoted);
  let isDeleted = false;
  try {
    const refusal = refusalOf(await deletedUnlessUnavailable(deps, target));
    isDeleted = refusal === null;
    return refusal ?? message(200, "User deleted");
  } finally {
    if (isAdmin && !isDeleted) await people.setRole(target.id, target.role);
  }
}

/** null: it is done. */
function refusalOf(outcome: DeletePersonOutcome | null): Response | null {
  switch (outcome?.kind) {
    case undefined:
      return message(503, "The payment provider does not answer, and a plan may be paid there; try again");
    case "subscription_refused":
      return message(409, `userId: ${outcome.message}`);
    case "owner_needed":
      return ownerNeeded(outcome.ids);
    case "last_administrator":
      return notChanged(outcome);
    default:
      return null;
  }
}

function ownerNeeded(ids: readonly string[]): Response {
  return message(409, `userId: owns ${ids.join(", ")}; transfer that to another member first`);
}

/** null: nobody knows. */
async function deletedUnlessUnavailable(
  deps: CreditCheckDeps,
  target: Person,
): Promise<DeletePersonOutcome | null> {
  try {
    return await deletePerson(deps, target);
  } catch (error) {
    if (error instanceof PaymentsUnavailable) return null;
    throw error;
  }
}

function isRole(text: string): text is Role {
  return (ROLES as readonly string[]).includes(text);
}

function notChanged({ kind }: Exclude<ChangePersonOutcome, { kind: "changed" }>): Response {
  return kind === "person_unknown"
    ? unknown()
    : message(409, "userId: is the last administrator; make another one first");
}

const unknown = () => message(404, "userId: names nobody");
const ownAccount = (verb: string) => message(409, `userId: you cannot ${verb} your own account`);
