import { formatCredits } from "@bursar/contract/money";
import { isObject } from "./ask/fields.ts";
import { billFor } from "./bill/bill.ts";
import { Budget, type OpenHold } from "./bill/budget.ts";
import { Meter } from "./bill/meter.ts";
import type { Settlement } from "./bill/settlements.ts";
import { isUnseen } from "./bill/unseen.ts";
import { readUsage } from "./bill/usage.ts";
import type { OpenCall, Parts } from "./call.ts";
import { drop } from "./drop.ts";
import { messageOf } from "./stream/event.ts";
import { outputOf } from "./stream/output.ts";
import { askForWhole } from "./upstream/ask-whole.ts";
import { broken, type UpstreamFailure } from "./upstream/failure.ts";
import { bodyFor } from "./upstream/line.ts";
import { whileWaiting } from "./while-waiting.ts";

/** An answer in one piece: charged before it is handed over, and passed on as the upstream wrote it. */
export async function answerWhole(
  parts: Parts,
  { call, line, ask, hold, outputCap }: OpenCall,
): Promise<Response> {
  const asking = {
    ask,
    accountId: call.principal.accountId,
    body: bodyFor(line, ask, outputCap),
    signal: call.signal,
    closing: call.closing,
    limitBytes: parts.settings.answerLimitBytes,
  };
  const budget = new Budget(parts.engine, hold);
  const answered = await whileWaiting(budget, askForWhole(line, asking));
  if (answered.kind !== "whole") return drop(parts, call, hold, answered);
  const parsed = parse(answered.body);
  if (parsed === null) return drop(parts, call, hold, broken("an answer that is not JSON"));
  const failure = failureIn(parsed);
  if (failure !== null) return drop(parts, call, hold, failure);
  const settlement = await settleWhole(parts, hold, parsed);
  const isShort = outputCap !== null && outputCap * ask.choices < hold.limitTokens;
  const isCut = isShort && choicesOf(parsed).some((choice) => choice["finish_reason"] === "length");
  return new Response(new Uint8Array(answered.body), { headers: headersOf(hold, settlement, isCut) });
}

function parse(body: Buffer): Readonly<Record<string, unknown>> | null {
  try {
    const parsed: unknown = JSON.parse(body.toString());
    return isObject(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

/** Some providers say 200, and then that they have failed. What holds no answer and no bill is none. */
function failureIn(answer: Readonly<Record<string, unknown>>): UpstreamFailure | null {
  const answers = answer["choices"] ?? answer["data"];
  if (Array.isArray(answers) && answers.length > 0) return null;
  const { error } = answer;
  if (error !== undefined && error !== null) return broken(`error: ${messageOf(error)}`);
  return readUsage(answer["usage"]) === null ? broken("an answer without content") : null;
}

async function settleWhole(
  parts: Parts,
  hold: OpenHold,
  answer: Readonly<Record<string, unknown>>,
): Promise<Settlement> {
  const meter = new Meter();
  meter.add(choicesOf(answer).map((choice, index) => ({ index, text: outputOf(choice) })));
  const reported = readUsage(answer["usage"]);
  const facts = { hold, meter, reported, isFinal: reported !== null, ending: "complete" };
  const bill = await billFor(facts, parts.engine.log);
  if (isUnseen(bill, meter)) void parts.thinkers.saw(hold.model);
  return parts.settlements.settle(hold, bill);
}

function choicesOf(answer: Readonly<Record<string, unknown>>) {
  return Array.isArray(answer["choices"]) ? answer["choices"].filter(isObject) : [];
}

/** `isCut`: the limit on output that credits pay for was met. The body cannot say so: it is the upstream's. */
function headersOf(hold: OpenHold, settlement: Settlement, isCut: boolean): Record<string, string> {
  return {
    ...(isCut ? { "x-bursar-reason": "insufficient_credits" } : {}),
    "content-type": "application/json",
    "x-request-id": hold.requestId,
    "x-bursar-cost": formatCredits(settlement.cost),
    ...(settlement.kind === "settled" ? { "x-bursar-remaining": formatCredits(settlement.remaining) } : {}),
  };
}
