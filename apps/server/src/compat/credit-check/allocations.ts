import { type GrantId, ID_PATTERN, newGrantId, newOperationId } from "@bursar/contract/ids";
import { addSeconds, formatInstant, type Instant, parseInstant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import {
  adjustCredits,
  type ChangeOutcome,
  removeCredits,
  setCredits,
} from "@bursar/engine/allocation/change";
import { type Allocation, type AllocationCursor, listAllocations } from "@bursar/engine/allocation/store";
import { balance } from "@bursar/engine/balance/balance";
import { type GrantRequest, grant } from "@bursar/engine/grant/grant";
import { isEmail, NotAName, personIdOf } from "@bursar/identity/people/naming";
import type { Person } from "@bursar/identity/person";
import { recordedAs } from "../../administration/compat.ts";
import { creditsOf, numberOf, positiveCreditsOf } from "./amounts.ts";
import { balanceAnswer, ID_RULE, idempotencyOf } from "./credits.ts";
import type { CreditCheckDeps } from "./deps.ts";
import { type FieldProblem, isFieldProblem, message, words } from "./fields.ts";
import { refused } from "./refusals.ts";
import type { Route, RouteCall } from "./route.ts";

const SECONDS_PER_DAY = 86_400;
const LONGEST_DAYS = 36_500;
const PAGE_LIMIT = 200;

/** What administrators and supervisors do with other people's credits. */
export function allocationRoutes(deps: CreditCheckDeps): Route[] {
  const staff = (method: Route["method"], path: string, handle: Route["handle"]): Route => {
    return { method, path: `/api/credits${path}`, access: ["admin", "supervisor"], handle };
  };
  const recorded = (operation: string, route: Route): Route => {
    return { ...route, recorded: recordedAs(operation, "id", "credits", "amount", "expiryDays") };
  };
  return [
    recorded(
      "allocateCredits",
      staff("post", "/allocate", (call) => allocate(deps, call, call.body.userId)),
    ),
    recorded(
      "allocateCredits",
      staff("post", "/allocate-by-email", (call) => {
        const { email } = call.body;
        if (typeof email !== "string" || !isEmail(email.trim()))
          return Promise.resolve(message(400, "email: must be an e-mail address"));
        return allocate(deps, call, email);
      }),
    ),
    recorded(
      "setCredits",
      staff("post", "/set", (call) => set(deps, call)),
    ),
    recorded(
      "adjustCredits",
      staff("put", "/adjust", (call) => adjust(deps, call)),
    ),
    recorded(
      "removeCredits",
      staff("delete", "/remove", (call) => remove(deps, call)),
    ),
    staff("get", "/balance/:userId", (call) => balanceOf(deps, call)),
    staff("get", "/allocations/all", (call) => all(deps, call)),
  ];
}

/** Gives credits to whoever is named, and makes them known if they are not. */
async function allocate(deps: CreditCheckDeps, call: RouteCall, named: unknown): Promise<Response> {
  const { body, requestId } = call;
  const amount = positiveCreditsOf(body.credits);
  if (amount === null) return message(400, "credits: must be a positive number with at most 6 decimals");
  const expiresAt = expiryOf(deps, body.expiryDays);
  if (isFieldProblem(expiresAt)) return message(expiresAt.status, expiresAt.message);
  const id = idempotencyOf(call) ?? newGrantId();
  if (!ID_PATTERN.test(id)) return message(400, ID_RULE);
  const target = await personNamed(deps, named, "make");
  if (isFieldProblem(target)) return message(target.status, target.message);
  call.concerns(target.accountId);
  const notes = notesOf(body);
  const by = `user:${call.person!.id}`;
  const request = {
    accountId: target.accountId,
    id: id as GrantId,
    amount,
    source: "admin",
    by,
    requestId,
  } as const;
  // Days count from now, which moves with the time, and a repetition must not.
  const outcome = await grant(deps, {
    ...request,
    ...(notes === null ? {} : { notes }),
    ...termOf(body.expiryDays),
  });
  if (outcome.kind !== "granted") return refused(outcome);
  const { amount: granted, remaining, expiresAt: expiry, duplicate } = outcome;
  const answer = {
    id,
    userId: target.id,
    totalCredits: numberOf(granted),
    remainingCredits: numberOf(remaining),
    expiresAt: expiry === null ? null : formatInstant(expiry),
    allocatedBy: call.person!.id,
    notes,
  };
  return Response.json(answer, { status: duplicate ? 200 : 201 });
}

async function set(deps: CreditCheckDeps, call: RouteCall): Promise<Response> {
  const { body, person, requestId } = call;
  const target = creditsOf(body.credits);
  if (target === null || target < 0n)
    return message(400, "credits: must be a number from 0, with at most 6 decimals");
  const expiresAt = expiryOf(deps, body.expiryDays);
  if (isFieldProblem(expiresAt)) return message(expiresAt.status, expiresAt.message);
  const owner = await personNamed(deps, body.userId, "find");
  if (isFieldProblem(owner)) return message(owner.status, owner.message);
  call.concerns(owner.accountId);
  const notes = notesOf(body) ?? "set to a given balance";
  const by = `user:${person!.id}`;
  const request = { accountId: owner.accountId, target, expiresAt: expiresAt.at, notes, by, requestId };
  return changed(await setCredits(deps, request), owner);
}

async function adjust(deps: CreditCheckDeps, call: RouteCall): Promise<Response> {
  const { body, person, requestId } = call;
  const amount = creditsOf(body.credits ?? body.amount);
  if (amount === null || amount === 0n)
    return message(400, "credits: must be a number other than 0, with at most 6 decimals");
  const notes = notesOf(body);
  if (notes === null) return message(400, "notes: must say why");
  const id = idempotencyOf(call) ?? newOperationId();
  if (!ID_PATTERN.test(id)) return message(400, ID_RULE);
  const owner = await personNamed(deps, body.userId, "find");
  if (isFieldProblem(owner)) return message(owner.status, owner.message);
  call.concerns(owner.accountId);
  const request = { accountId: owner.accountId, id, amount, notes, by: `user:${person!.id}`, requestId };
  return changed(await adjustCredits(deps, request), owner);
}

async function remove(deps: CreditCheckDeps, call: RouteCall): Promise<Response> {
  const { body, person, requestId, context } = call;
  const given = body.credits;
  const amount: MicroCredits | "all" | null = given === undefined ? "all" : positiveCreditsOf(given);
  if (amount === null)
    return message(400, "credits: must be a positive number with at most 6 decimals, or left out for all");
  const id = idempotencyOf(call) ?? newOperationId();
  if (!ID_PATTERN.test(id)) return message(400, ID_RULE);
  const owner = await personNamed(deps, body.userId ?? context.req.query("userId"), "find");
  if (isFieldProblem(owner)) return message(owner.status, owner.message);
  call.concerns(owner.accountId);
  const notes = notesOf(body) ?? "removed";
  const request = { accountId: owner.accountId, id, amount, notes, by: `user:${person!.id}`, requestId };
  return changed(await removeCredits(deps, request), owner);
}

function changed(outcome: ChangeOutcome, owner: Person): Response {
  if (outcome.kind !== "changed") return refused(outcome);
  return Response.json({
    message: "Credits changed",
    userId: owner.id,
    changedBy: numberOf(outcome.by),
    totalCredits: numberOf(outcome.available),
  });
}

async function balanceOf(deps: CreditCheckDeps, { context }: RouteCall): Promise<Response> {
  const owner = await personNamed(deps, context.req.param("userId"), "find");
  if (isFieldProblem(owner)) return message(owner.status, owner.message);
  return Response.json({ userId: owner.id, ...balanceAnswer(await balance(deps, owner.accountId)) });
}

async function all(deps: CreditCheckDeps, { context }: RouteCall): Promise<Response> {
  const { limit = "50", cursor } = context.req.query();
  if (!/^\d{1,3}$/.test(limit) || +limit < 1 || +limit > PAGE_LIMIT)
    return message(400, `limit: must be 1 to ${PAGE_LIMIT}`);
  const after = cursor === undefined ? null : cursorOf(cursor);
  if (after === undefined) return message(400, "cursor: must be the nextCursor of the page before");
  const found = await listAllocations(deps.pool, { limit: +limit + 1, after });
  const page = found.slice(0, +limit);
  const nextCursor = found.length > page.length ? cursorText(page.at(-1)!) : null;
  return Response.json({ allocations: page.map(allocationAnswer), nextCursor });
}

function allocationAnswer(allocation: Allocation) {
  const { id, accountId, source, granted, remaining, allocatedBy, allocatedAt, expiresAt, notes } =
    allocation;
  return {
    ...{ id, userId: personIdOf(accountId), accountId, source },
    totalCredits: numberOf(granted),
    remainingCredits: numberOf(remaining),
    ...{ allocatedBy, allocatedAt: formatInstant(allocatedAt), notes },
    expiresAt: expiresAt === null ? null : formatInstant(expiresAt),
  };
}

function cursorText({ allocatedAt, accountId, id }: Allocation): string {
  return Buffer.from(JSON.stringify([formatInstant(allocatedAt), accountId, id])).toString("base64url");
}

function cursorOf(text: string): AllocationCursor | undefined {
  try {
    const [at, accountId, id] = JSON.parse(Buffer.from(text, "base64url").toString()) as unknown[];
    const allocatedAt = parseInstant(String(at));
    if (allocatedAt === null || typeof accountId !== "string" || typeof id !== "string") return undefined;
    return { allocatedAt, accountId, id };
  } catch {
    return undefined;
  }
}

interface Expiry {
  readonly at: Instant | null;
}

/** Days from now; null for never. Absent: as every allocation by an administrator. */
function expiryOf({ clock }: CreditCheckDeps, days: unknown): Expiry | FieldProblem {
  if (days === null) return { at: null };
  const count = days === undefined ? 30 : days;
  if (typeof count !== "number" || !Number.isSafeInteger(count) || count < 1 || count > LONGEST_DAYS)
    return {
      status: 400,
      message: `expiryDays: must be a whole number from 1 to ${LONGEST_DAYS}, or null for never`,
    };
  return { at: addSeconds(clock.now(), count * SECONDS_PER_DAY) };
}

/** The same for a command that may come again; checked before. */
function termOf(days: unknown): Pick<GrantRequest, "expiresAt" | "ttlSeconds"> {
  if (typeof days === "number") return { ttlSeconds: days * SECONDS_PER_DAY };
  return days === null ? { expiresAt: null } : {};
}

const LONGEST_NOTES = 1000;

function notesOf(body: RouteCall["body"]): string | null {
  return words(body.notes ?? body.reason, LONGEST_NOTES);
}

/** By id, username or e-mail. */
export async function personNamed(
  { identity }: Pick<CreditCheckDeps, "identity">,
  named: unknown,
  whenUnknown: "find" | "make",
): Promise<Person | FieldProblem> {
  const right = "must be an id, a username or an e-mail";
  if (typeof named !== "string" || named.trim() === "") return { status: 400, message: `userId: ${right}` };
  if (whenUnknown === "find") {
    const person = await identity.people.find(named);
    return person ?? { status: 404, message: "userId: names nobody" };
  }
  try {
    return await identity.people.findOrCreate(named);
  } catch (error) {
    if (error instanceof NotAName) return { status: 400, message: `userId: ${error.message}` };
    throw error;
  }
}
