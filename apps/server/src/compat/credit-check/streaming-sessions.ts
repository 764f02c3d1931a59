import type { AccountId, HoldId } from "@bursar/contract/ids";
import { formatInstant } from "@bursar/contract/instant";
import { divideRoundingUp } from "@bursar/contract/money";
import { extend } from "@bursar/engine/hold/extend";
import { hold } from "@bursar/engine/hold/hold";
import { settleInFull } from "@bursar/engine/hold/late";
import { settleAtPrices } from "@bursar/engine/hold/settle";
import { priceCost } from "@bursar/engine/price/work";
import { personIdOf } from "@bursar/identity/people/naming";
import type { Person } from "@bursar/identity/person";
import { personNamed } from "./allocations.ts";
import { numberOf, tokensOf } from "./amounts.ts";
import type { CreditCheckDeps } from "./deps.ts";
import { isFieldProblem, isModelId, message } from "./fields.ts";
import { costOfTokens, pricedModel } from "./pricing.ts";
import { refused } from "./refusals.ts";
import type { Route, RouteCall } from "./route.ts";
import {
  type ActiveStream,
  activeStreams,
  type EndedStream,
  endedStreams,
  endOf,
  streamFacts,
} from "./store-streaming.ts";

const SESSION_ID = /^[A-Za-z0-9][A-Za-z0-9._:@/+-]{0,119}$/;
const SESSION_ID_RULE = "sessionId: must be 1 to 120 letters, digits or . _ : @ / + -";
const STAFF = ["admin", "supervisor"] as const;
/** Holds the estimate and a fifth more. */
const [MARGIN, MARGIN_OF] = [12n, 10n];
const RECENT_LIMIT = 50;

const FEATURE = "streaming";

const holdOf = (sessionId: string) => `stream:${sessionId}` as HoldId;

/** Work whose cost is known only when it ends. A session is a hold of the ledger; its id is the session's. */
export function streamingRoutes(deps: CreditCheckDeps): Route[] {
  const own = (method: Route["method"], path: string, handle: Route["handle"]): Route => {
    return { method, path: `/api/streaming-sessions${path}`, access: "person", handle };
  };
  const staff = (path: string, handle: Route["handle"]): Route => ({
    ...own("get", path, handle),
    access: STAFF,
  });
  return [
    own("post", "/initialize", (call) => initialize(deps, call)),
    own("post", "/progress", (call) => progress(deps, call)),
    own("post", "/finalize", (call) => finalize(deps, call)),
    own("post", "/abort", (call) => abort(deps, call)),
    own("get", "/active", ({ person }) => active(deps, person!.accountId)),
    // Before the route with a parameter, which would take "all" for somebody's id.
    staff("/active/all", () => active(deps, null)),
    own("get", "/active/:userId", (call) => activeOf(deps, call)),
    own("get", "/recent", (call) => recent(deps, call)),
  ];
}

async function initialize(deps: CreditCheckDeps, { person, body, requestId }: RouteCall): Promise<Response> {
  const { sessionId, modelId } = body;
  if (typeof sessionId !== "string" || !SESSION_ID.test(sessionId)) return message(400, SESSION_ID_RULE);
  if (!isModelId(modelId)) return message(400, "modelId: must be a model's id");
  const estimatedTokens = tokensOf(body.estimatedTokens);
  if (estimatedTokens === null || estimatedTokens === 0)
    return message(400, "estimatedTokens: must be a positive whole number");
  const book = await deps.prices.current();
  const priced = priceCost(book, costOfTokens(pricedModel(book, modelId), estimatedTokens));
  if (priced.kind !== "priced") return refused(priced);
  const outcome = await hold(deps, {
    ...actor(person!, requestId),
    id: holdOf(sessionId),
    work: { kind: "amount", amount: divideRoundingUp(priced.amount * MARGIN, MARGIN_OF) },
    feature: FEATURE,
    metadata: { sessionId, modelId, estimatedTokens },
  });
  if (outcome.kind !== "held") return refused(outcome);
  // Whoever takes an ended session's id for new work must not take the first answer for a new hold.
  if (outcome.duplicate && (await endOf(deps.pool, person!.accountId, outcome.id)) !== null)
    return refused({ kind: "hold_closed", holdId: outcome.id });
  const answer = {
    ...{ sessionId, modelId, estimatedTokens, status: "active" },
    allocatedCredits: numberOf(outcome.amount),
    remainingCredits: numberOf(outcome.available),
    expiresAt: formatInstant(outcome.expiresAt),
  };
  return Response.json(answer, { status: outcome.duplicate ? 200 : 201 });
}

/** What has been generated so far: what a session that is never ended will cost. Renews its expiry. */
async function progress(deps: CreditCheckDeps, call: RouteCall): Promise<Response> {
  const session = await sessionOf(deps, call, "tokensGenerated");
  if (session instanceof Response) return session;
  const { holdId, tokens, model } = session;
  const priced = priceCost(await deps.prices.current(), costOfTokens(model, tokens));
  if (priced.kind !== "priced") return refused(priced);
  const outcome = await extend(deps, {
    ...actor(call.person!, call.requestId),
    id: `progress:${call.requestId}`,
    ...{ holdId, amount: 0n, ttlSeconds: 600, reported: priced.amount },
  });
  if (outcome.kind !== "extended") return refused(outcome);
  const expiresAt = outcome.expiresAt === null ? null : formatInstant(outcome.expiresAt);
  return Response.json({ sessionId: session.sessionId, creditsSoFar: numberOf(priced.amount), expiresAt });
}

/** Charges what was really used, also beyond the estimate, whether the work succeeded or not. */
async function finalize(deps: CreditCheckDeps, call: RouteCall): Promise<Response> {
  const session = await sessionOf(deps, call, "actualTokens");
  if (session instanceof Response) return session;
  return close(deps, call, session, call.body.success === false ? "failed" : "completed");
}

/** Charges the part that was generated, and gives the rest back. */
async function abort(deps: CreditCheckDeps, call: RouteCall): Promise<Response> {
  const session = await sessionOf(deps, call, "tokensGenerated");
  return session instanceof Response ? session : close(deps, call, session, "aborted");
}

interface Session {
  readonly sessionId: string;
  readonly holdId: HoldId;
  readonly tokens: number;
  /** The name under which the model is priced. */
  readonly model: string;
}

async function sessionOf(
  deps: CreditCheckDeps,
  { person, body }: RouteCall,
  field: string,
): Promise<Session | Response> {
  const { sessionId } = body;
  if (typeof sessionId !== "string" || !SESSION_ID.test(sessionId)) return message(400, SESSION_ID_RULE);
  const tokens = tokensOf(body[field]);
  if (tokens === null) return message(400, `${field}: must be a whole number from 0`);
  const holdId = holdOf(sessionId);
  const facts = await streamFacts(deps.pool, person!.accountId, holdId);
  if (facts === null) return message(404, "sessionId: is no session of yours");
  return { sessionId, holdId, tokens, model: pricedModel(await deps.prices.current(), facts.modelId) };
}

async function close(
  deps: CreditCheckDeps,
  { person, requestId }: RouteCall,
  { sessionId, holdId, tokens, model }: Session,
  status: string,
): Promise<Response> {
  const book = await deps.prices.current();
  const priced = priceCost(book, costOfTokens(model, tokens));
  if (priced.kind !== "priced") return refused(priced);
  const cost = { kind: "amount", amount: priced.amount } as const;
  const request = { ...actor(person!, requestId), metadata: { status, tokens }, holdId, cost };
  const first = await settleAtPrices(deps, book, request);
  if (first.kind !== "settled" && first.kind !== "hold_closed") return refused(first);
  if (first.kind === "settled") {
    const end = first.duplicate ? await endOf(deps.pool, person!.accountId, holdId) : null;
    if (end === null || end.by === request.by)
      return ended(sessionId, end?.metadata?.status ?? status, first);
  }
  // It was ended before its owner came back, for less or for nothing: the work was done all the same.
  const late = await settleInFull(deps, book, request, { feature: FEATURE });
  if (late.kind !== "settled") return refused(late);
  return ended(sessionId, status, first.kind === "settled" ? { ...late, released: first.released } : late);
}

function ended(
  sessionId: string,
  status: string,
  {
    charged,
    released,
    overrun,
    available,
  }: { charged: bigint; released: bigint; overrun: bigint; available: bigint },
): Response {
  return Response.json({
    ...{ message: "Session ended", sessionId, status, success: true },
    actualCredits: numberOf(charged),
    refundedCredits: numberOf(released),
    overrunCredits: numberOf(overrun),
    remainingCredits: numberOf(available),
  });
}

function actor(person: Person, requestId: string) {
  return { accountId: person.accountId, by: `user:${person.id}`, requestId };
}

async function active(deps: CreditCheckDeps, accountId: AccountId | null): Promise<Response> {
  const sessions = (await activeStreams(deps.pool, accountId)).map(activeAnswer);
  return Response.json({ sessions, count: sessions.length });
}

/** One's own, or with the right role anybody's. */
async function activeOf(deps: CreditCheckDeps, { person, context }: RouteCall): Promise<Response> {
  const named = context.req.param("userId");
  const isStaff = person!.role === "admin" || person!.role === "supervisor";
  if (!isStaff && named !== person!.id) return message(403, "Your role does not allow this");
  const owner = await personNamed(deps, named, "find");
  return isFieldProblem(owner) ? message(owner.status, owner.message) : active(deps, owner.accountId);
}

/** One's own, and for administrators and supervisors everybody's, or whose they name. */
async function recent(deps: CreditCheckDeps, { person, context }: RouteCall): Promise<Response> {
  const isStaff = person!.role === "admin" || person!.role === "supervisor";
  const named = context.req.query("userId");
  let accountId: AccountId | null = isStaff ? null : person!.accountId;
  if (named !== undefined && named !== person!.id) {
    if (!isStaff) return message(403, "Your role does not allow this");
    const owner = await personNamed(deps, named, "find");
    if (isFieldProblem(owner)) return message(owner.status, owner.message);
    accountId = owner.accountId;
  } else if (named !== undefined) accountId = person!.accountId;
  const sessions = (await endedStreams(deps.pool, accountId, RECENT_LIMIT)).map(endedAnswer);
  return Response.json({ sessions, count: sessions.length });
}

function activeAnswer({ accountId, facts, held, reported, startedAt, expiresAt }: ActiveStream) {
  return {
    ...{ sessionId: facts.sessionId, userId: personIdOf(accountId), modelId: facts.modelId },
    ...{ estimatedTokens: facts.estimatedTokens, status: "active" },
    allocatedCredits: numberOf(held),
    creditsSoFar: numberOf(reported),
    startedAt: formatInstant(startedAt),
    expiresAt: expiresAt === null ? null : formatInstant(expiresAt),
  };
}

/** Who never came back has no status of their own: the sweep ended the session. */
function endedAnswer({ accountId, sessionId, charged, metadata, endedAt }: EndedStream) {
  return {
    ...{ sessionId, userId: personIdOf(accountId), status: metadata?.status ?? "expired" },
    ...(metadata?.tokens === undefined ? {} : { actualTokens: metadata.tokens }),
    actualCredits: numberOf(charged),
    endedAt: formatInstant(endedAt),
  };
}
