import { ERRORS } from "@bursar/contract/errors";
import { type AccountId, newRequestId } from "@bursar/contract/ids";
import type { Operation } from "@bursar/contract/operation";
import { type OperationName, v1 } from "@bursar/contract/v1";
import { onRecord } from "@bursar/engine/administration/record";
import type { Principal } from "@bursar/engine/key/principal";
import type { Context, Hono } from "hono";
import { readReason } from "../administration/reason.ts";
import { administratorOf, endingsOf, intentsOf } from "../administration/rest.ts";
import { callerOf } from "../identity/caller.ts";
import { accountFor, authenticate } from "./authenticate.ts";
import type { Call, Handler, RestDeps, Success } from "./context.ts";
import { passHttpGate } from "./gate.ts";
import { handlers } from "./handlers.ts";
import { readIdempotencyKey } from "./idempotency-key.ts";
import { firstIssue, readJson } from "./input.ts";
import { mayActFor, organizationNamed, payerAsked } from "./payer.ts";
import { isProblem, type Problem, problemBody, problemHeaders } from "./problem.ts";
import type { RateLimit } from "./rate-limit.ts";
import { reservedId } from "./reserved.ts";
import { type Streamed, streamed } from "./streamed.ts";
import { unexpected } from "./unexpected.ts";

export interface MountDeps extends RestDeps {
  readonly rateLimit: RateLimit;
  readonly proxyHops: number;
}

const BODY_LIMIT_BYTES = 1 << 20;
const BATCH_LIMIT_BYTES = 8 << 20;

/** Mounts every operation of the contract on its path. */
export function mountRest(app: Hono, deps: MountDeps): void {
  for (const name of Object.keys(v1) as OperationName[]) {
    const operation = v1[name] as Operation;
    const path = operation.path.replace(/\{(\w+)\}/g, ":$1");
    app[operation.method](path, (context) => answer(context, deps, name, operation));
  }
}

/** Answers one call: authenticate, check the input, let the handler do it, say how it went. */
async function answer(
  context: Context,
  deps: MountDeps,
  name: OperationName,
  operation: Operation,
): Promise<Response> {
  const requestId = newRequestId();
  const outcome = await perform(context, deps, name, operation, requestId).catch((error: unknown) =>
    unexpected(deps, error, requestId, name),
  );
  const headers = { "x-request-id": requestId, "cache-control": "no-store" };
  if (isProblem(outcome)) {
    const told = { ...headers, ...problemHeaders(outcome) };
    return context.json(problemBody(outcome, requestId), ERRORS[outcome.problem].status, told);
  }
  if ("stream" in outcome) return streamed(deps, outcome, headers);
  return context.json(outcome.answer as object, outcome.repeated === true ? 200 : operation.status, headers);
}

async function perform(
  context: Context,
  deps: MountDeps,
  name: OperationName,
  operation: Operation,
  requestId: string,
): Promise<Success<OperationName> | Streamed | Problem> {
  const principal = await authenticate(deps, context.req.raw.headers, !LEDGER_JUDGES.has(operation.name));
  if (isProblem(principal)) return principal;
  const limited = await deps.rateLimit.take(principal.keyId ?? principal.by);
  if (limited !== null) return limited;
  const input = await readInput(context, operation, name === "batch" ? BATCH_LIMIT_BYTES : BODY_LIMIT_BYTES);
  if (isProblem(input)) return input;
  const paying = await payerOf(context, deps, { operation, principal, named: namedAccount(input) });
  if (isProblem(paying)) return paying;
  const idempotencyKey = readIdempotencyKey(context.req.header("idempotency-key"), operation, input.body);
  if (isProblem(idempotencyKey)) return idempotencyKey;
  const reserved = TAKES_OWN_ID.has(operation.name)
    ? reservedIn(principal, idempotencyKey, input.body)
    : null;
  if (reserved !== null) return reserved;
  const reason = readReason(context.req.raw.headers, input.rawBody);
  if (isProblem(reason)) return reason;
  const { address } = callerOf(context, deps.proxyHops);
  const asked = { deps, requestId, address, idempotencyKey, reason, ...input, ...paying };
  const call = asked as unknown as Call<OperationName>;
  const handler = handlers[name] as unknown as Handler<OperationName>;
  return onRecord(
    deps,
    administratorOf(call),
    intentsOf(operation, call),
    () => handler(call),
    (outcome) => endingsOf(operation, call, outcome),
  );
}

interface Asking {
  readonly operation: Operation;
  readonly principal: Principal;
  /** The account that the call names. */
  readonly named: string | undefined;
}

/** Whose account a call is about, and as whom the caller acts on it. */
export async function payerOf(
  context: Context,
  deps: RestDeps,
  { operation, principal, named }: Asking,
): Promise<{ principal: Principal; accountId: AccountId } | Problem> {
  const isOrganizations = organizationNamed(principal, named) !== null;
  const accountId = accountFor(operation.access, principal, isOrganizations ? undefined : named);
  if (isProblem(accountId)) return accountId;
  const known = { principal, accountId: accountId as AccountId };
  if (operation.access !== "account") return known;
  const asked = payerAsked(context.req.raw.headers, principal, named);
  const paying = await passHttpGate(deps, asked, known, USES_CREDITS.has(operation.name));
  if (isProblem(paying)) return paying;
  const isAnother = named !== undefined && principal.kind !== "admin" && named !== paying.accountId;
  return isAnother ? anotherPays : (mayActFor(paying.principal, operation) ?? paying);
}

const anotherPays: Problem = {
  problem: "invalid_request",
  message: "accountId: names another account than the one whose organization is to pay",
  param: "accountId",
};

const USES_CREDITS: ReadonlySet<string> = new Set<OperationName>([
  "createHold",
  "extendHold",
  "createRun",
  "spend",
  "batch",
]);

/** Whose id is used up in the ledger as it stands; a batch looks at its own. */
const TAKES_OWN_ID: ReadonlySet<string> = new Set<OperationName>(["createHold", "extendHold", "spend"]);

/** Calls that are a ledger command under the caller's key, which the ledger checks again, or that close a hold, which
 *  an ended key still may. Whatever else a key does, it must be good at that moment. */
const LEDGER_JUDGES: ReadonlySet<string> = new Set<string>([
  ...USES_CREDITS,
  ...(["settleHold", "releaseHold"] satisfies OperationName[]),
]);

interface Input {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly rawBody: unknown;
}

async function readInput(
  context: Context,
  operation: Operation,
  limitBytes: number,
): Promise<Input | Problem> {
  const params = operation.params?.safeParse(context.req.param());
  if (params?.success === false) return firstIssue(params.error);
  const query = operation.query?.safeParse(context.req.query());
  if (query?.success === false) return firstIssue(query.error);
  if (operation.body === undefined)
    return { params: params?.data, query: query?.data, body: undefined, rawBody: undefined };
  const read = await readJson(context.req.raw, limitBytes);
  if (isProblem(read)) return read;
  const body = operation.body.safeParse(read.value);
  if (!body.success) return firstIssue(body.error);
  return { params: params?.data, query: query?.data, body: body.data, rawBody: read.value };
}

function namedAccount(input: Input): string | undefined {
  const from = (part: unknown) => (part as { accountId?: string } | undefined)?.accountId;
  return from(input.body) ?? from(input.query);
}

/** The header names the id where both are there: they agree. */
function reservedIn(principal: Principal, idempotencyKey: string | undefined, body: unknown): Problem | null {
  return idempotencyKey === undefined
    ? reservedId(principal, (body as { id?: string }).id, "id")
    : reservedId(principal, idempotencyKey, "Idempotency-Key");
}
