import { newRequestId } from "@bursar/contract/ids";
import { MICROSECONDS_PER_SECOND } from "@bursar/contract/instant";
import type { Operation } from "@bursar/contract/operation";
import { getClock, moveClock } from "@bursar/contract/operations/sandbox";
import { iso } from "@bursar/contract/shapes";
import type { ClockState, MovableClock } from "@bursar/engine/clock/movable";
import type { Principal } from "@bursar/engine/key/principal";
import type { SandboxMail } from "@bursar/sandbox/mail";
import type { Context, Hono } from "hono";
import type { z } from "zod";
import type { Background } from "../background.ts";
import { authenticate } from "../rest/authenticate.ts";
import type { RestDeps } from "../rest/context.ts";
import { firstIssue, readJson } from "../rest/input.ts";
import { answerProblem, isProblem, type Problem } from "../rest/problem.ts";
import { isFromHere } from "./near.ts";

/** What only a sandbox has. In live mode there is none, and so none of its paths. */
export interface SandboxRoutes {
  readonly clock: MovableClock;
  readonly background: Background;
  /** null where a real mail server is set. */
  readonly mail: SandboxMail | null;
}

const BODY_LIMIT_BYTES = 4096;

/** `/sandbox/clock` with the admin key; `/sandbox/mail` for whoever is at this machine, and from elsewhere with that key. */
export function mountSandbox(
  app: Hono,
  deps: Pick<RestDeps, "keys" | "identity">,
  sandbox: SandboxRoutes,
): void {
  const { mail, clock } = sandbox;
  app.get(getClock.path, (context) => forAdmin(context, deps, async () => stateAnswer(clock.state())));
  app.post(moveClock.path, (context) => forAdmin(context, deps, () => move(context, sandbox)));
  if (mail === null) return;
  const answerMail = async (context: Context) => {
    const refused = isFromHere(context) ? null : await refuseStranger(context, deps);
    return refused ?? (await mail.answer(context.req.raw)) ?? context.notFound();
  };
  app.all("/sandbox/mail", answerMail);
  app.all("/sandbox/mail/*", answerMail);
}

/** Once time was moved, answers are dated by it: a client that tells "in 3 days" goes by that. */
export function tellTime(app: Hono, clock: Pick<MovableClock, "state">): void {
  for (const path of ["/v1/*", "/health"])
    app.use(path, async (context, next) => {
      await next();
      const { now, systemTime } = clock.state();
      const isMoved = Math.abs(now - systemTime) > MICROSECONDS_PER_SECOND;
      if (isMoved) context.res.headers.set("date", new Date(now / 1000).toUTCString());
    });
}

async function forAdmin(
  context: Context,
  deps: Pick<RestDeps, "keys" | "identity">,
  answer: () => Promise<object | Problem>,
): Promise<Response> {
  const requestId = newRequestId();
  const principal = await authenticate(deps, context.req.raw.headers, true);
  const answered = isProblem(principal) ? principal : holdsAdminKey(principal) ? await answer() : keyRequired;
  if (isProblem(answered)) return answerProblem(answered, requestId);
  return context.json(answered, 200, { "x-request-id": requestId, "cache-control": "no-store" });
}

/** null for an administrator. In a browser the admin key is the password that it asks for, under any name. */
async function refuseStranger(
  context: Context,
  deps: Pick<RestDeps, "keys" | "identity">,
): Promise<Response | null> {
  const principal = await authenticate(deps, withKeyOfBrowser(context.req.raw.headers), true);
  if (!isProblem(principal) && principal.kind === "admin") return null;
  const answer = answerProblem(isProblem(principal) ? principal : mailRefused, newRequestId());
  if (answer.status === 401)
    answer.headers.set("www-authenticate", 'Basic realm="Bursar sandbox: the admin key is the password"');
  return answer;
}

const BASIC = /^Basic +([\w+/=-]+)$/i;

function withKeyOfBrowser(headers: Headers): Headers {
  const given = BASIC.exec(headers.get("authorization") ?? "")?.[1];
  if (given === undefined) return headers;
  const pair = Buffer.from(given, "base64").toString("utf8");
  return new Headers({ authorization: `Bearer ${pair.slice(pair.indexOf(":") + 1)}` });
}

const mailRefused: Problem = {
  problem: "admin_required",
  message: "From another machine, the sandbox's mail is read with the admin key",
};

/** A key, not a person who is an administrator: no page in a browser moves everybody's time. */
function holdsAdminKey({ kind, keyId }: Principal): boolean {
  return kind === "admin" && keyId !== null;
}

const keyRequired: Problem = { problem: "admin_required", message: "This needs an admin key" };

/** Whoever moves the clock sees a settled world: what has become due is done before the answer. */
async function move(context: Context, { clock, background }: SandboxRoutes): Promise<object | Problem> {
  const body = await readBody(context, moveClock);
  if (isProblem(body)) return body;
  const state = await change(clock, body);
  if (isProblem(state)) return state;
  const settled = await background.settle();
  return { ...stateAnswer(clock.state()), settled };
}

async function change(
  clock: MovableClock,
  { advance, freeze }: z.output<NonNullable<typeof moveClock.body>>,
): Promise<ClockState | Problem> {
  if (advance === undefined) return clock.freeze(freeze!);
  const outcome = await clock.advance(advance);
  if (outcome.kind === "moved") return outcome.state;
  const message = "advance: must not lead beyond 2200-01-01";
  return { problem: "invalid_request", message, param: "advance" };
}

async function readBody<Body extends z.ZodType>(
  context: Context,
  operation: Operation<z.ZodType, z.ZodType, Body>,
): Promise<z.output<Body> | Problem> {
  const read = await readJson(context.req.raw, BODY_LIMIT_BYTES);
  if (isProblem(read)) return read;
  const parsed = operation.body!.safeParse(read.value);
  return parsed.success ? parsed.data : firstIssue(parsed.error);
}

function stateAnswer({ now, systemTime, frozen }: ClockState) {
  return { now: iso(now), systemTime: iso(systemTime), frozen };
}
