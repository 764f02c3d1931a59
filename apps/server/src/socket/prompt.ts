import { createHash } from "node:crypto";
import { newRequestId } from "@bursar/contract/ids";
import { type MicroCredits, parseCredits } from "@bursar/contract/money";
import { credits } from "@bursar/contract/shapes";
import type { PromptAction } from "@bursar/contract/socket/client-actions";
import type { SocketError } from "@bursar/contract/socket/errors";
import { SESSION_LIMITS } from "@bursar/contract/socket/limits";
import type { ServerAction } from "@bursar/contract/socket/server-messages";
import {
  type GateAnswer,
  type GateDeps,
  type Passage,
  passageFor,
  passGate,
} from "@bursar/engine/gate/chain";
import type { Principal } from "@bursar/engine/key/keys";
import { readAccount } from "@bursar/engine/ledger/store-load";
import { grantedSince } from "@bursar/engine/ledger/store-read";
import { unexpected } from "../rest/mount.ts";
import { isProblem } from "../rest/problem.ts";
import type { Connection } from "./connection.ts";
import { type CredentialDeps, checkCredential } from "./credential.ts";
import type { AgentRunner, Run, RunEnd, RunOutput } from "./runner.ts";
import type { Session } from "./session.ts";
import type { SocketSettings } from "./settings.ts";
import { usageOf } from "./usage.ts";

export interface PromptDeps extends CredentialDeps, GateDeps {
  readonly runner: AgentRunner;
  readonly settings: SocketSettings;
  readonly log: Parameters<typeof unexpected>[0]["log"];
}

/** Why the server itself ends a prompt. */
export const SHUTTING_DOWN = "the server shuts down";

/** Begins a prompt, which then runs on whatever happens to the socket. null: it runs, or has run before under this id,
 *  and what it says comes by the session. */
export function startPrompt(
  deps: PromptDeps,
  connection: Connection,
  session: Session,
  prompt: PromptAction,
): SocketError | null {
  const { userInputId } = prompt;
  if (session.hasRun(userInputId)) return null;
  const budget = prompt.budget === undefined ? null : parseCredits(prompt.budget);
  if (prompt.budget !== undefined && (budget === null || budget <= 0n))
    return {
      error: "invalid_request",
      message: 'must be credits above 0, such as "2.5"',
      param: "data.budget",
    };
  if (session.isFull) {
    const message = `At most ${SESSION_LIMITS.prompts} prompts of a session run at the same time`;
    return { error: "too_many_prompts", message };
  }
  const abort = new AbortController();
  const done = runPrompt(deps, connection, session, prompt, budget, abort.signal)
    .catch((error: unknown) => session.send(brokenPrompt(deps, userInputId, error)))
    .finally(() => session.end(userInputId));
  session.begin(userInputId, { abort, done });
  return null;
}

/** gate → run → what it used and what came of it. */
async function runPrompt(
  deps: PromptDeps,
  connection: Connection,
  session: Session,
  prompt: PromptAction,
  budget: MicroCredits | null,
  signal: AbortSignal,
): Promise<void> {
  const { userInputId, repositoryUrl = null, organizationId = null } = prompt;
  const gated = await passGate(
    deps,
    passageFor({
      authenticate: () => authenticateAgain(deps, connection),
      accountId: session.accountId,
      repositoryUrl,
      organizationId,
    }),
  );
  if (gated.kind === "answer") return session.send(refusedPrompt(userInputId, gated));
  const { passage } = gated;
  const run = {
    prompt,
    principal: payerOf(passage),
    requestId: requestIdOf(session, prompt),
    budget,
    signal,
  };
  const { accountId } = passage;
  const before = await readAccount(deps.pool, accountId);
  const end = await deps.runner.run(run, outputOf(deps, session, run));
  const added = await grantedSince(deps.pool, accountId, "topup", before?.seq ?? 0n);
  const usage = await usageOf(deps, accountId, passage.added + added);
  session.send({ type: "usage-response", userInputId, ...usage });
  session.send(endOf(userInputId, end, { signal, remainingBalance: usage.remainingBalance }));
}

/** An ended credential begins nothing more, even before the socket is closed for it. */
async function authenticateAgain(deps: PromptDeps, connection: Connection): Promise<Principal | GateAnswer> {
  const known = await checkCredential(deps, connection.credential);
  if (!isProblem(known)) return known.principal;
  const { problem, message } = known;
  const error = problem === "key_revoked" || problem === "key_expired" ? problem : "unauthenticated";
  return { kind: "answer", error, message, remaining: null };
}

function payerOf({ principal, accountId, caps }: Passage): Run["principal"] {
  return { accountId, keyId: principal!.keyId, by: principal!.by, caps };
}

/** The same prompt of the same session has the same holds, so that it can never be billed twice. */
function requestIdOf(session: Session, { userInputId }: PromptAction): string {
  const name = JSON.stringify([session.accountId, session.id, userInputId]);
  return `req_${createHash("sha256").update(name).digest("hex").slice(0, 32)}`;
}

function outputOf(deps: PromptDeps, session: Session, { prompt: { userInputId }, signal }: Run): RunOutput {
  return {
    text: (chunk) => session.send({ type: "response-chunk", userInputId, chunk }),
    subagentText: ({ id, name }, chunk) =>
      session.send({ type: "subagent-response-chunk", userInputId, agentId: id, agent: name, chunk }),
    event: (event) => session.send({ type: "agent-event", userInputId, event }),
    cost: ({ model, cost, requestId, agent }) =>
      session.send({
        type: "message-cost-response",
        ...{ userInputId, model, requestId },
        cost: credits(cost),
        ...(agent === undefined ? {} : { agent }),
      }),
    ask: (request, timeoutMilliseconds = deps.settings.requestMilliseconds) =>
      session.ask(userInputId, request, { timeoutMilliseconds, signal }),
  };
}

function endOf(
  userInputId: string,
  end: RunEnd,
  { signal, remainingBalance }: { readonly signal: AbortSignal; readonly remainingBalance: string },
): ServerAction {
  const cost = credits(end.cost);
  if (signal.reason === SHUTTING_DOWN) {
    const message = "The server restarts; what was produced so far is billed";
    return { type: "prompt-error", userInputId, error: "shutting_down", message, cost };
  }
  if (end.kind === "refused") {
    const { error, message } = end;
    return { type: "action-error", userInputId, error, message, remainingBalance, cost };
  }
  if (end.kind === "failed") {
    const { error, message } = end;
    return { type: "prompt-error", userInputId, error, message, cost };
  }
  const output = end.output as Extract<ServerAction, { type: "prompt-response" }>["output"];
  return { type: "prompt-response", userInputId, ended: end.how, output, cost };
}

function refusedPrompt(userInputId: string, { error, message, remaining }: GateAnswer): ServerAction {
  const balance = remaining === null ? {} : { remainingBalance: credits(remaining) };
  return { type: "action-error", userInputId, error, message, ...balance };
}

function brokenPrompt({ log }: PromptDeps, userInputId: string, thrown: unknown): ServerAction {
  const { problem: error, message } = unexpected({ log }, thrown, newRequestId(), "socket prompt");
  return { type: "prompt-error", userInputId, error, message };
}
