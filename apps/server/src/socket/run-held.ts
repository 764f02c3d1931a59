import { isSuspended } from "@bursar/agent/suspend";
import type { AccountId } from "@bursar/contract/ids";
import { formatCredits, type MicroCredits, parseCredits } from "@bursar/contract/money";
import { credits } from "@bursar/contract/shapes";
import type { PromptAction } from "@bursar/contract/socket/client-actions";
import type { ServerAction } from "@bursar/contract/socket/server-messages";
import type { Deps } from "@bursar/engine/deps";
import {
  approachGate,
  type GateAnswer,
  type GateDeps,
  type Passage,
  passageFor,
  passGate,
} from "@bursar/engine/gate/chain";
import type { Principal } from "@bursar/engine/key/principal";
import { readAccount } from "@bursar/engine/ledger/store-load";
import { grantedSince } from "@bursar/engine/ledger/store-read";
import { isFree, ratesFor } from "@bursar/engine/price/decide";
import { type HeldPrompt, PromptLost } from "@bursar/engine/prompt/held";
import { z } from "zod";
import { isProblem } from "../rest/problem.ts";
import type { Connection } from "./connection.ts";
import { type CredentialDeps, checkCredential } from "./credential.ts";
import { endedWithProcess, endOf, refusedPrompt } from "./endings.ts";
import { journalOf, settleCut } from "./held.ts";
import type { AgentRunner, Run, RunOutput } from "./runner.ts";
import type { Session } from "./session.ts";
import type { SocketSettings } from "./settings.ts";
import { usageOf } from "./usage.ts";

export interface HeldDeps extends CredentialDeps, GateDeps, Pick<Deps, "ledger" | "prices" | "log"> {
  readonly runner: AgentRunner;
  readonly settings: SocketSettings;
}

/** A prompt as its client asked for it just now. */
export interface AskedPrompt {
  readonly connection: Connection;
  readonly session: Session;
  readonly prompt: PromptAction;
  readonly abort: AbortController;
}

/** What the gate found when the prompt first passed it: a later life of it goes on with the same credits. */
const openingShape = z.object({
  payer: z.string(),
  /** Of the payer's entries before it. */
  seq: z.string(),
  /** Credits that were bought at the gate. */
  added: z.string(),
});

type Opening = z.output<typeof openingShape>;

/** gate → run → what it used and what came of it. */
export async function runHeld(
  deps: HeldDeps,
  asked: AskedPrompt,
  held: HeldPrompt,
): Promise<"ended" | "suspended"> {
  const { session, abort } = asked;
  // What was asked first counts, whatever was said when it was asked again.
  const prompt = JSON.parse(held.asked) as PromptAction;
  const { userInputId } = prompt;
  const before = held.opening === null ? null : openingShape.parse(JSON.parse(held.opening));
  // Called off before it began, it passes no gate: that could buy credits, of which it needs none.
  if (before === null && abort.signal.aborted && !isSuspended(abort.signal)) {
    const usage = await usageOf(deps, session.accountId);
    const last = endOf(userInputId, CALLED_OFF, usage.remainingBalance);
    return conclude(deps, session, held, [{ type: "usage-response", userInputId, ...usage }, last]);
  }
  // First, because a gate that is shut now may stay shut.
  const cut = before === null ? 0n : await settleCut(deps, held, runFacts(asked, before, prompt));
  const gated = await pass(deps, asked.connection, session, { prompt, before });
  if (gated.kind === "answer") {
    // Refused before it began, it is as if it had not been asked; later, it may come back with a better credential.
    await (before === null ? held.forget() : held.free());
    session.send(refusedPrompt(userInputId, gated));
    return "ended";
  }
  const { passage } = gated;
  const opening = before ?? (await openingOf(deps, passage, held));
  const { accountId } = passage;
  if (held.life > 1) session.send({ type: "prompt-resumed", userInputId, cut: credits(cut) });
  const run: Run = {
    ...{ prompt, budget: budgetOf(prompt), signal: abort.signal, seen: asked.prompt.seen ?? {} },
    principal: payerOf(passage),
    requestId: held.hand.requestId,
    journal: journalOf(held, cut),
    lost: held.lost,
  };
  const end = await deps.runner.run(run, outputOf(deps, session, run));
  if (end.kind === "suspended" && held.isResumable) {
    await held.free();
    return "suspended";
  }
  const bought = await grantedSince(deps.pool, accountId, "topup", BigInt(opening.seq));
  const usage = await usageOf(deps, accountId, parseCredits(opening.added)! + bought);
  const last =
    end.kind === "suspended"
      ? endedWithProcess(userInputId)
      : endOf(userInputId, end, usage.remainingBalance);
  return conclude(deps, session, held, [{ type: "usage-response", userInputId, ...usage }, last]);
}

const CALLED_OFF = { kind: "ended", how: "cancelled", output: { text: "" }, cost: 0n } as const;

/** Written down first: who hears of an end must hear of it again, wherever it asks. */
async function conclude(
  { log }: HeldDeps,
  session: Session,
  held: HeldPrompt,
  [usage, last]: readonly [ServerAction, ServerAction],
): Promise<"ended" | "suspended"> {
  try {
    await held.end(JSON.stringify(last));
  } catch (error) {
    if (error instanceof PromptLost) return "suspended";
    log.warn({ err: error, requestId: held.hand.requestId }, "how a prompt ended could not be kept");
  }
  session.send(usage);
  session.send(last);
  return "ended";
}

/** The whole gate at the beginning. Later without the balance, of which the run may have all that there is: each of its
 *  steps asks the ledger itself. */
async function pass(
  deps: HeldDeps,
  connection: Connection,
  session: Session,
  { prompt, before }: { readonly prompt: PromptAction; readonly before: Opening | null },
): Promise<
  | { readonly kind: "allow"; readonly passage: Passage }
  | (Parameters<typeof refusedPrompt>[1] & { readonly kind: "answer" })
> {
  const { repositoryUrl = null, organizationId = null } = prompt;
  const start = passageFor({
    authenticate: () => authenticateAgain(deps, connection),
    accountId: session.accountId,
    ...{ repositoryUrl, organizationId },
    needed: await neededFor(deps, prompt),
  });
  const gated = await (before === null ? passGate : approachGate)(deps, start);
  if (gated.kind === "answer" || before === null || gated.passage.accountId === before.payer) return gated;
  const message = `This prompt began on the credits of ${before.payer}, which are not its own any more`;
  return { kind: "answer", error: "prompt_repeated", message, remaining: null };
}

/** The least that there must be. Work that costs nothing needs no credits, and buys none. */
async function neededFor({ prices, runner }: HeldDeps, prompt: PromptAction): Promise<MicroCredits> {
  const model = runner.modelFor(prompt);
  const rates = model === null ? null : ratesFor(await prices.current(), model);
  return rates !== null && isFree(rates) ? 0n : 1n;
}

/** An ended credential begins nothing more, even before the socket is closed for it. */
async function authenticateAgain(deps: HeldDeps, connection: Connection): Promise<Principal | GateAnswer> {
  const known = await checkCredential(deps, connection.credential);
  if (!isProblem(known)) return known.principal;
  const { problem, message } = known;
  const error = problem === "key_revoked" || problem === "key_expired" ? problem : "unauthenticated";
  return { kind: "answer", error, message, remaining: null };
}

async function openingOf(deps: HeldDeps, passage: Passage, held: HeldPrompt): Promise<Opening> {
  const account = await readAccount(deps.pool, passage.accountId);
  const opening = {
    payer: passage.accountId,
    seq: String(account?.seq ?? 0n),
    added: formatCredits(passage.added),
  };
  await held.keepOpening(JSON.stringify(opening));
  return opening;
}

function payerOf({ principal, accountId, caps }: Passage): Run["principal"] {
  return { accountId, keyId: principal!.keyId, by: principal!.by, caps };
}

function runFacts({ connection }: AskedPrompt, { payer }: Opening, { agent }: PromptAction) {
  return { payer: payer as AccountId, by: connection.known.principal.by, isAgent: agent !== undefined };
}

function budgetOf({ budget }: PromptAction): MicroCredits | null {
  return budget === undefined ? null : parseCredits(budget);
}

function outputOf(deps: HeldDeps, session: Session, { prompt: { userInputId }, signal }: Run): RunOutput {
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
