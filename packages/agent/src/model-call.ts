import { streamText } from "ai";
import type { Denial } from "./bill/billing.ts";
import { textsOf, withinContext } from "./conversation.ts";
import { Heard } from "./heard.ts";
import { keepable, spokenFrom } from "./kept.ts";
import { withParting } from "./parting.ts";
import type { ModelPatience } from "./ports.ts";
import type { Run, Task } from "./run.ts";
import type { Spoken } from "./spoken.ts";
import { isSuspended, stopIfSuspended } from "./suspend.ts";
import { toolSet, toolsOf } from "./tool-set.ts";

/** The whole answer and the tools it may need; a model that goes quiet or runs wild is stopped. */
const PATIENCE: ModelPatience = { totalMs: 840_000, firstChunkMs: 300_000, chunkMs: 120_000 };
/** Before the first token, and only there: then nothing has been billed. */
const RETRIES = 2;

/** A call that was made in an earlier life of the run is not made again: what came of it is told once more.
 *  Throws: Suspended; the ledger cannot be asked before the call, which is a no. */
export async function callModel(run: Run, task: Task, step: number): Promise<Spoken | Denial> {
  const { agentId } = task;
  const name = `${agentId}.${step}`;
  const kept = run.journal.find(name);
  const spoken = kept === undefined ? await askModel(run, task, step) : spokenFrom(kept);
  if (spoken.kind === "denied") return spoken;
  run.total += spoken.charge.cost;
  task.cost += spoken.charge.cost;
  if (kept !== undefined && spoken.text !== "") run.deps.emit({ type: "text", agentId, text: spoken.text });
  if (kept === undefined) {
    if (spoken.outcome.kind === "stopped") stopIfSuspended(run);
    await run.journal.keep(name, keepable(spoken));
  }
  return spoken;
}

/** hold → ask → settle, whatever becomes of the asking. */
async function askModel(run: Run, task: Task, step: number): Promise<Spoken | Denial> {
  const { billing, models, patience = PATIENCE } = run.deps;
  const { definition, agentId } = task;
  const { life } = run.journal;
  const messages = withinContext(task.messages);
  const model = models.find(run.model);
  if (model === null) return noProvider(run.model);
  const tools = toolSet(toolsOf(run, definition));
  const permit = await billing.beforeModelCall({
    // A step that was cut is another call when it is done again.
    callId: life === 1 ? `${agentId}.${step}` : `${agentId}.${step}.life${life}`,
    agent: definition.name,
    model: run.model,
    texts: textsOf(definition.instructions, messages, tools),
    messages: messages.length + 1,
  });
  if (permit.kind === "denied") return permit;
  const heard = new Heard(permit, step, (type, text) => run.deps.emit({ type, agentId, text }));
  const stop = new AbortController();
  const asking = withParting(model, run.signal, patience.firstChunkMs);
  try {
    const asked = streamText({
      ...{ model: asking.model, messages, tools },
      instructions: definition.instructions,
      maxOutputTokens: permit.maxOutputTokens,
      maxRetries: RETRIES,
      timeout: patience,
      abortSignal: AbortSignal.any([run.signal, stop.signal]),
      // Errors arrive in the stream; left alone, the SDK would print them.
      onError: () => undefined,
    });
    for await (const part of asked.stream) {
      heard.take(part);
      const denial = await permit.paid();
      if (denial === null) continue;
      heard.stop(denial);
      break;
    }
  } catch (error) {
    heard.fail(error, run.signal.aborted);
  } finally {
    stop.abort();
  }
  const isLeft = heard.outcome.kind === "stopped" && !isSuspended(run.signal) && (await asking.hasBegun());
  const charge = await billing.afterModelCall(permit, heard.usage, isLeft);
  return {
    ...{ kind: "spoken", text: heard.text, calls: heard.calls, outcome: heard.outcome, charge },
    ...{ isShort: permit.isShort, callId: permit.callId },
  };
}

function noProvider(model: string): Denial {
  const message = `No provider is configured for the model "${model}"`;
  return { kind: "denied", reason: "refused", code: "model_unknown", message };
}
