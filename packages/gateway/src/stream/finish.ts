import type { Log } from "@bursar/engine/deps";
import type { Thinkers } from "@bursar/engine/thinker/thinkers";
import type { Ask } from "../ask/ask.ts";
import { billFor } from "../bill/bill.ts";
import type { Budget } from "../bill/budget.ts";
import type { Settlements } from "../bill/settlements.ts";
import { isUnseen } from "../bill/unseen.ts";
import { logFailure } from "../upstream/failure-log.ts";
import type { Ending } from "./ending.ts";
import type { Passed } from "./passed.ts";
import { tailOf } from "./tail.ts";

export interface FinishDeps {
  readonly ask: Ask;
  readonly budget: Budget;
  /** Output tokens a choice that the upstream was limited to because credits pay for no more; null: it was not. */
  readonly outputCap: number | null;
  readonly settlements: Settlements;
  readonly thinkers: Thinkers;
  readonly log: Log;
}

/** Charges an ended stream, and says what its client is still to hear: the cost is known before the last word. */
export async function finish(deps: FinishDeps, passed: Passed, ended: Ending): Promise<string> {
  const { budget, settlements, thinkers, log } = deps;
  const { hold } = budget;
  const ending = cutByCredits(deps, passed) && ended.kind === "complete" ? creditsEnded(deps) : ended;
  if (ending.kind === "upstream") logFailure(log, hold, ending.failure);
  if (isNothing(passed) && FREE_IF_NOTHING.has(ending.kind)) {
    await settlements.release(hold);
    return tailOf({ ...deps, passed, ending, bill: null, settlement: null });
  }
  const isFinal = ended.kind === "complete" && !passed.isUsageStale;
  const facts = { hold, meter: passed.meter, reported: passed.usage, isFinal };
  const bill = await billFor({ ...facts, ending: ending.kind }, log);
  if (isUnseen(bill, passed.meter)) void thinkers.saw(hold.model);
  const settlement = await settlements.settle(hold, bill);
  return tailOf({ ...deps, passed, ending, bill, settlement });
}

/** The upstream ended by itself, at the limit that was set because credits pay for no more. */
function cutByCredits({ ask, budget, outputCap }: FinishDeps, { finishes }: Passed): boolean {
  const isShort = outputCap !== null && outputCap * ask.choices < budget.hold.limitTokens;
  return isShort && [...finishes.values()].includes("length");
}

function creditsEnded({ budget: { topUp } }: FinishDeps): Ending {
  return { kind: "credits", reason: "insufficient_credits", topUp };
}

/** Neither output nor a bill has come. */
function isNothing({ meter, usage }: Passed): boolean {
  return meter.isEmpty && usage === null;
}

/** A client who leaves, or whose credits end, has had its prompt read. */
const FREE_IF_NOTHING: ReadonlySet<Ending["kind"]> = new Set(["complete", "upstream", "shut_down"]);
