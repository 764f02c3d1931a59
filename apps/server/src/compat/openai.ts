import { ID_PATTERN, newRequestId } from "@bursar/contract/ids";
import { type RunReader, readRun } from "@bursar/engine/run/run";
import type { Call } from "@bursar/gateway/call";
import type { Gateway } from "@bursar/gateway/gateway";
import type { Context, Hono } from "hono";
import { authenticate } from "../rest/authenticate.ts";
import { actor } from "../rest/context.ts";
import { passHttpGate } from "../rest/gate.ts";
import { readJson } from "../rest/input.ts";
import type { MountDeps } from "../rest/mount.ts";
import { payerAsked } from "../rest/payer.ts";
import { answerProblem, isProblem, type Problem } from "../rest/problem.ts";
import { runUnknown } from "../rest/runs.ts";
import { unexpected } from "../rest/unexpected.ts";

interface OpenAiDeps extends MountDeps {
  readonly gateway: Gateway;
}

/** Pictures travel in the body. */
const BODY_LIMIT_BYTES = 32 << 20;

/** The calls of OpenAI's API, so that its clients work by base URL and key alone. */
export function mountGateway(app: Hono, deps: OpenAiDeps): void {
  const { gateway } = deps;
  app.post("/v1/chat/completions", (context) =>
    forward(context, deps, (call) => gateway.chatCompletions(call)),
  );
  app.post("/v1/completions", (context) => forward(context, deps, (call) => gateway.completions(call)));
  app.post("/v1/embeddings", (context) => forward(context, deps, (call) => gateway.embeddings(call)));
}

async function forward(
  context: Context,
  deps: OpenAiDeps,
  handle: Gateway["chatCompletions"],
): Promise<Response> {
  const requestId = newRequestId();
  try {
    const answer = await run(context, deps, handle, requestId);
    return isProblem(answer) ? answerProblem(answer, requestId) : answer;
  } catch (error) {
    return answerProblem(unexpected(deps, error, requestId, context.req.path), requestId);
  }
}

async function run(
  context: Context,
  deps: OpenAiDeps,
  handle: Gateway["chatCompletions"],
  requestId: string,
): Promise<Response | Problem> {
  const { headers } = context.req.raw;
  const principal = await authenticate(deps, headers, false);
  if (isProblem(principal)) return principal;
  if (principal.accountId === null) return accountKeyRequired;
  const limited = await deps.rateLimit.take(principal.keyId ?? principal.by);
  if (limited !== null) return limited;
  const body = await readJson(context.req.raw, BODY_LIMIT_BYTES);
  if (isProblem(body)) return body;
  const known = { principal, accountId: principal.accountId };
  const paying = await passHttpGate(deps, payerAsked(headers, principal), known, true);
  if (isProblem(paying)) return paying;
  const { keyId, by, caps } = paying.principal;
  const { accountId } = paying;
  const run = await runNamed(deps, actor({ ...paying, requestId }), context.req.header(RUN_HEADER));
  if (isProblem(run)) return run;
  const signal = context.req.raw.signal;
  return handle({ body: body.value, signal, principal: { accountId, keyId, by, caps, run }, requestId });
}

const RUN_HEADER = "x-bursar-run";

/** The run whose budget pays, where one is named. */
async function runNamed(
  deps: OpenAiDeps,
  reader: RunReader,
  id: string | undefined,
): Promise<NonNullable<Call["principal"]["run"]> | null | Problem> {
  if (id === undefined) return null;
  if (!ID_PATTERN.test(id)) {
    const message = `${RUN_HEADER}: must be the id of a run`;
    return { problem: "invalid_request", message, param: RUN_HEADER };
  }
  const run = await readRun(deps, id, reader);
  if (run === null) return { ...runUnknown(id), param: RUN_HEADER };
  if (run.state === "open") return { holdId: run.holdId };
  return { problem: "run_ended", message: `The run ${id} has ended`, param: RUN_HEADER };
}

const accountKeyRequired: Problem = {
  problem: "admin_required",
  message: "Use an account's API key here: an admin key has no balance to spend from",
};
