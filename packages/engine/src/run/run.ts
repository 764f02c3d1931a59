import type { AccountId, HoldId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import { withSnapshot } from "@bursar/database/transaction";
import type { Deps } from "../deps.ts";
import { type HoldOutcome, type HoldRequest, hold } from "../hold/hold.ts";
import { release } from "../hold/settle.ts";
import type { OnHold } from "../ledger/command.ts";
import { keyOf } from "../ledger/entry.ts";
import { closingKey } from "../ledger/key.ts";
import type { Queryable } from "../mail/store.ts";
import { type ChildHold, findRun, listChildren, listOpenRuns, type RunRow } from "./store.ts";

/** A budget that a tree of agents shares: a hold, and what draws from it is its children. The ledger keeps it, and
 *  nothing else does. Micro-credits. */
export interface Run {
  readonly id: string;
  readonly holdId: HoldId;
  readonly state: "open" | "ended";
  readonly budget: MicroCredits;
  /** Of the budget, by work that is settled. */
  readonly spent: MicroCredits;
  /** By work under way, at any depth. */
  readonly held: MicroCredits;
  readonly left: MicroCredits;
  readonly children: number;
  readonly startedAt: Instant;
  readonly expiresAt: Instant | null;
  readonly endedAt: Instant | null;
  readonly endedBy: string | null;
}

export const RUN_PREFIX = "run:";

/** The hold that is a run's budget. */
export function holdIdOfRun(id: string): HoldId {
  return `${RUN_PREFIX}${id}` as HoldId;
}

export interface StartRunRequest extends Omit<HoldRequest, "id" | "work" | "parentId"> {
  readonly id: string;
  readonly budget: MicroCredits;
}

export type StartRunOutcome =
  | { readonly kind: "started"; readonly duplicate: boolean; readonly run: Run }
  | Exclude<HoldOutcome, { kind: "held" }>;

/** Sets the budget aside: from here on it is the run's alone, and holds that name it as their parent never reserve more
 *  than is left of it, from however many processes. Its time over, it ends by itself.
 *  Units: micro-credits. Outcomes: as `hold`, started. Throws: LedgerUnavailable; the same id again is always safe. */
export async function startRun(
  deps: Pick<Deps, "ledger" | "clock" | "prices" | "refusals" | "pool">,
  { id, budget, ...facts }: StartRunRequest,
): Promise<StartRunOutcome> {
  const request = { ...facts, id: holdIdOfRun(id), work: { kind: "amount", amount: budget } as const };
  const outcome = await hold(deps, request);
  if (outcome.kind !== "held") return outcome;
  const run = await readRun(deps, id, facts);
  if (run !== null) return { kind: "started", duplicate: outcome.duplicate, run };
  if (outcome.duplicate) return { kind: "key_conflict", key: request.id };
  throw new Error(`the run ${id} was started and is not there`);
}

/** Who asks for a run. One who knows only what counts in a cap of theirs knows only the runs that they have started. */
export interface RunReader extends Pick<OnHold, "countedIn"> {
  readonly accountId: AccountId;
  readonly by: string;
}

/** How a run stands, also after its end. null: there is no such run for whoever asks. */
export async function readRun(
  deps: { readonly pool: Queryable },
  id: string,
  { accountId, by, countedIn }: RunReader,
): Promise<Run | null> {
  const startedBy = countedIn === undefined ? null : by;
  const holdId = holdIdOfRun(id);
  const keys = { opening: keyOf(holdId), closing: keyOf(closingKey(holdId)) };
  const row = await findRun(deps.pool, { accountId, holdId, startedBy, ...keys });
  return row === null ? null : runOf(row);
}

/** The open runs, the latest first. */
export async function listRuns(deps: Pick<Deps, "pool">, reader: RunReader): Promise<Run[]> {
  const ids = await listOpenRuns(deps.pool, reader.accountId, RUN_PREFIX);
  const runs = await Promise.all(ids.map((holdId) => readRun(deps, holdId.slice(RUN_PREFIX.length), reader)));
  // One may have ended since.
  return runs.filter((run) => run !== null).filter(({ state }) => state === "open");
}

/** How a run stands, and its open holds at that moment. null: there is no such run for whoever asks. */
export function readRunWithHolds(
  { pool }: Pick<Deps, "pool">,
  id: string,
  reader: RunReader,
): Promise<{ readonly run: Run; readonly holds: readonly ChildHold[] } | null> {
  return withSnapshot(pool, async (client) => {
    const run = await readRun({ pool: client }, id, reader);
    return run === null ? null : { run, holds: await listChildren(client, reader.accountId, run.holdId) };
  });
}

export interface EndRunRequest extends RunReader {
  readonly id: string;
  readonly requestId?: string | undefined;
}

/** Ends a run at once: every hold below it closes at the cost that it reported last, and the rest of the budget goes
 *  back where it came from. Ending it again changes nothing. null: there is no such run for whoever asks.
 *  Throws: LedgerUnavailable. */
export async function endRun(
  deps: Pick<Deps, "ledger" | "pool">,
  request: EndRunRequest,
): Promise<Run | null> {
  const { id, ...facts } = request;
  // hold_unknown, hold_closed: what there is to be told is how the run stands.
  await release(deps, { ...facts, holdId: holdIdOfRun(id) });
  return readRun(deps, id, request);
}

function runOf(row: RunRow): Run {
  const { holdId, opened, extended, left, released, held, children, ...times } = row;
  const budget = opened + extended;
  const id = holdId.slice(RUN_PREFIX.length);
  const facts = { id, holdId, budget, held, children, ...times };
  if (left === null) return { ...facts, state: "ended", left: 0n, spent: budget - released };
  return { ...facts, state: "open", left, spent: budget - left - held };
}
