import type { Deps } from "./deps.ts";
import { type HoldOutcome, type HoldRequest, hold } from "./hold/hold.ts";
import { release, type SettleOutcome, settle } from "./hold/settle.ts";
import type { Cost } from "./price/work.ts";

type Held = Extract<HoldOutcome, { kind: "held" }>;

export type SpendOutcome<Answer> =
  | { readonly kind: "spent"; readonly answer: Answer; readonly settlement: SettleOutcome }
  | Exclude<HoldOutcome, Held>;

/** One request, straight through: gate → hold → work → settle. Read this first.
 *
 *  The gate is the hold: an account that is frozen, in debt, over a cap or short of credits gets a named no, and no
 *  work starts. While the work runs no transaction is open. It says what it really cost, and exactly that is charged.
 *  Work that throws is not charged. A process that dies leaves the hold to its expiry, when the sweep settles it at
 *  the usage last reported, else releases it.
 *  Throws: what the work throws; LedgerUnavailable when it cannot be known whether the account may: that is a no. */
export async function spend<Answer>(
  deps: Pick<Deps, "ledger" | "clock" | "prices" | "refusals" | "topUps">,
  request: HoldRequest,
  work: (held: Held) => Promise<{ answer: Answer; cost: Cost }>,
): Promise<SpendOutcome<Answer>> {
  const held = await hold(deps, request);
  if (held.kind !== "held") return held;

  const { accountId, by, requestId } = request;
  const closing = { accountId, by, requestId, holdId: held.id };
  const done = await work(held).catch(async (error: unknown) => {
    await release(deps, closing).catch(() => undefined);
    throw error;
  });
  const settlement = await settle(deps, { ...closing, cost: done.cost });
  return { kind: "spent", answer: done.answer, settlement };
}
