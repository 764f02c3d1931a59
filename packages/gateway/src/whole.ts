import { formatCredits } from "@bursar/contract/money";
import type { Ask } from "./ask/ask.ts";
import { isObject } from "./ask/fields.ts";
import { billFor } from "./bill/bill.ts";
import type { OpenHold } from "./bill/budget.ts";
import { Meter } from "./bill/meter.ts";
import type { Settlement } from "./bill/settlements.ts";
import { readUsage } from "./bill/usage.ts";
import type { Call, Parts } from "./gateway.ts";
import { errorAnswer, failureFacts } from "./http/answers.ts";
import { outputOf } from "./stream/output.ts";
import { askForWhole } from "./upstream/ask-whole.ts";
import { broken, type UpstreamFailure } from "./upstream/failure.ts";
import { bodyFor, type Line } from "./upstream/line.ts";

/** An answer in one piece: charged before it is handed over, and passed on as the upstream wrote it. */
export async function answerWhole(
  parts: Parts,
  call: Call,
  line: Line,
  ask: Ask,
  hold: OpenHold,
  outputCap: number | null,
): Promise<Response> {
  const asking = {
    ask,
    body: bodyFor(line, ask, outputCap),
    signal: call.signal,
    limitBytes: parts.settings.answerLimitBytes,
  };
  const answered = await askForWhole(line, asking);
  if (answered.kind !== "whole") return failed(parts, hold, answered);
  const parsed = parse(answered.body);
  if (parsed === null) return failed(parts, hold, broken("an answer that is not JSON"));
  const settlement = await settleWhole(parts, hold, parsed);
  return new Response(new Uint8Array(answered.body), { headers: headersOf(hold, settlement) });
}

/** Nothing was delivered. What the upstream may have begun for a client that left is its prompt, and that is billed. */
async function failed(parts: Parts, hold: OpenHold, failure: UpstreamFailure): Promise<Response> {
  const { engine, settlements } = parts;
  engine.log.warn({ requestId: hold.requestId, model: hold.model, failure }, "an upstream gave no answer");
  if (failure.kind === "called_off" && failure.isAnswered) await billPrompt(parts, hold);
  else await settlements.release(hold);
  return errorAnswer(failureFacts(failure), hold.requestId);
}

export async function billPrompt(parts: Parts, hold: OpenHold): Promise<void> {
  const delivered = { hold, meter: new Meter(), reported: null, isFinal: false, ending: "client_gone" };
  await parts.settlements.settle(hold, await billFor(delivered, parts.engine.log));
}

function parse(body: Buffer): Readonly<Record<string, unknown>> | null {
  try {
    const parsed: unknown = JSON.parse(body.toString());
    return isObject(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

async function settleWhole(
  parts: Parts,
  hold: OpenHold,
  answer: Readonly<Record<string, unknown>>,
): Promise<Settlement> {
  const meter = new Meter();
  const choices = Array.isArray(answer["choices"]) ? answer["choices"].filter(isObject) : [];
  meter.add(choices.map((choice, index) => ({ index, text: outputOf(choice) })));
  const reported = readUsage(answer["usage"]);
  const facts = { hold, meter, reported, isFinal: reported !== null, ending: "complete" };
  return parts.settlements.settle(hold, await billFor(facts, parts.engine.log));
}

function headersOf(hold: OpenHold, settlement: Settlement): Record<string, string> {
  return {
    "content-type": "application/json",
    "x-request-id": hold.requestId,
    "x-bursar-cost": formatCredits(settlement.cost),
    ...(settlement.kind === "settled" ? { "x-bursar-remaining": formatCredits(settlement.remaining) } : {}),
  };
}
