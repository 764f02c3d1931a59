import { SUSPEND } from "@bursar/agent/suspend";
import { parseCredits } from "@bursar/contract/money";
import type { PromptAction } from "@bursar/contract/socket/client-actions";
import type { SocketError } from "@bursar/contract/socket/errors";
import { SESSION_LIMITS } from "@bursar/contract/socket/limits";
import type { ServerAction } from "@bursar/contract/socket/server-messages";
import { digestOf } from "@bursar/engine/digest";
import type { PromptHands } from "@bursar/engine/prompt/hands";
import { type HeldPrompt, PromptLost } from "@bursar/engine/prompt/held";
import type { Connection } from "./connection.ts";
import { brokenPrompt, endedWithProcess, refusedPrompt } from "./endings.ts";
import { claimInTime } from "./held.ts";
import { type AskedPrompt, type HeldDeps, runHeld } from "./run-held.ts";
import type { Session } from "./session.ts";

export interface PromptDeps extends HeldDeps {
  readonly hands: PromptHands;
}

/** Begins a prompt, or goes on with one that another process has left, whatever happens to the socket. null: it runs, or
 *  has run before under this id, and what it says comes by the session. */
export function startPrompt(
  deps: PromptDeps,
  connection: Connection,
  session: Session,
  prompt: PromptAction,
): SocketError | null {
  const { userInputId, seen } = prompt;
  if (session.running.has(userInputId)) return null;
  // Who comes back for one that has ended has not heard how.
  if (session.hasRun(userInputId) && seen === undefined) return null;
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
  const done = runPrompt(deps, { connection, session, prompt, abort })
    .catch((error: unknown): "ended" => {
      session.send(brokenPrompt(deps, userInputId, error));
      return "ended";
    })
    .then((how) => (how === "ended" ? session.end(userInputId) : session.release(userInputId)));
  session.begin(userInputId, { abort, done });
  return null;
}

/** Takes the prompt, runs it, and tells how it ended: `suspended` when it goes on in another process. */
async function runPrompt(deps: PromptDeps, asked: AskedPrompt): Promise<"ended" | "suspended"> {
  const { session, prompt, connection, abort } = asked;
  const { seen: _, ...first } = prompt;
  const { userInputId } = prompt;
  const tell = (action: ServerAction): "ended" => {
    session.send(action);
    return "ended";
  };
  const claim = await claimInTime(
    deps.hands,
    {
      accountId: session.accountId,
      requestId: requestIdOf(session, prompt),
      askedBy: connection.known.principal.by,
      asked: JSON.stringify(first),
    },
    abort.signal,
  );
  switch (claim.kind) {
    case "held":
      return runOnce(deps, asked, claim.prompt);
    case "ended":
      return tell(JSON.parse(claim.ending) as ServerAction);
    case "too_large":
      return tell(endedWithProcess(userInputId));
    case "not_yours": {
      const message = "This prompt was asked with another credential";
      return tell(refusedPrompt(userInputId, { error: "prompt_repeated", message, remaining: null }));
    }
    case "running": {
      if (abort.signal.reason === SUSPEND) return "suspended";
      const message = "This prompt still runs in another process, for another socket";
      return tell(refusedPrompt(userInputId, { error: "unavailable", message, remaining: null }));
    }
  }
}

/** In this process alone: it is let go when it is lost, or wanted by another one that has its client. */
async function runOnce(
  deps: PromptDeps,
  asked: AskedPrompt,
  held: HeldPrompt,
): Promise<"ended" | "suspended"> {
  const { session, abort } = asked;
  const letGo = () => abort.abort(SUSPEND);
  held.lost.addEventListener("abort", letGo);
  let askedAt: number | null = null;
  held.onWanted = () => {
    const { connection } = session;
    // A client that is still here keeps its prompt; one that only seems to be here does not answer.
    if (connection === null || (askedAt !== null && connection.heardAt < askedAt)) return letGo();
    askedAt = performance.now();
    connection.ping(askedAt);
  };
  try {
    return await runHeld(deps, asked, held);
  } catch (error) {
    // The other process tells its client.
    if (error instanceof PromptLost) return "suspended";
    const broken = brokenPrompt(deps, asked.prompt.userInputId, error);
    await held.end(JSON.stringify(broken)).catch(() => undefined);
    session.send(broken);
    return "ended";
  } finally {
    held.lost.removeEventListener("abort", letGo);
  }
}

/** The same prompt of the same session has the same holds, so that it can never be billed twice. */
function requestIdOf(session: Session, { userInputId }: PromptAction): string {
  const name = JSON.stringify([session.accountId, session.id, userInputId]);
  return `req_${digestOf(name)}`;
}
