import type { AccountId, GrantId } from "@bursar/contract/ids";
import { newOperationId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import { balance } from "../balance/balance.ts";
import type { Deps } from "../deps.ts";
import { grant } from "../grant/grant.ts";
import type { Refusal } from "../ledger/command.ts";
import { inTurn } from "./store.ts";

type ChangeDeps = Pick<Deps, "ledger" | "pool" | "clock">;

interface ChangeRequest {
  readonly accountId: AccountId;
  readonly notes: string;
  readonly by: string;
  readonly requestId?: string | undefined;
}

export type ChangeOutcome =
  | { readonly kind: "changed"; readonly by: MicroCredits; readonly available: MicroCredits }
  | Refusal;

/** Adds credits, or takes available ones away, with the reason in the ledger. The same id again does nothing more.
 *  Outcomes: the ledger's refusals (insufficient_credits where more would be taken than is there), changed. */
export async function adjustCredits(
  deps: Pick<Deps, "ledger">,
  request: ChangeRequest & { readonly id: string; readonly amount: MicroCredits },
): Promise<ChangeOutcome> {
  const { notes, ...rest } = request;
  const outcome = await deps.ledger.submit({ ...rest, kind: "adjust", note: notes });
  if (outcome.kind !== "done" && outcome.kind !== "duplicate") return outcome;
  return { kind: "changed", by: request.amount, available: outcome.result.available };
}

/** Gives or takes what is missing to `target`; a debt stands in between, and is given too. Spends that happen meanwhile
 *  come on top, as if they were later; two of these at once take turns. What is given expires like an allocation.
 *  Outcomes: account_unknown, the ledger's refusals, changed. */
export function setCredits(
  deps: ChangeDeps,
  request: ChangeRequest & { readonly target: MicroCredits; readonly expiresAt: Instant | null },
): Promise<ChangeOutcome> {
  return inTurn(deps.pool, request.accountId, async (pool) => {
    const { target, expiresAt, ...rest } = request;
    const before = await balance({ ...deps, pool }, request.accountId);
    if (before === null) return { kind: "account_unknown", accountId: request.accountId };
    const difference = target - before.available;
    if (difference === 0n) return { kind: "changed", by: 0n, available: before.available };
    const id = newOperationId();
    if (difference < 0n) return adjustCredits(deps, { ...rest, id, amount: difference });
    const given = {
      ...rest,
      id: id as string as GrantId,
      amount: difference + before.owed,
      source: "admin",
      expiresAt,
    } as const;
    const outcome = await grant(deps, given);
    if (outcome.kind !== "granted") return outcome;
    return { kind: "changed", by: outcome.amount, available: before.available + outcome.remaining };
  });
}

/** Takes so many credits away, or all that are available. Outcomes: account_unknown, insufficient_credits, changed. */
export function removeCredits(
  deps: ChangeDeps,
  request: ChangeRequest & { readonly id: string; readonly amount: MicroCredits | "all" },
): Promise<ChangeOutcome> {
  const { amount, ...rest } = request;
  if (amount !== "all") return adjustCredits(deps, { ...rest, amount: -amount });
  return inTurn(deps.pool, request.accountId, async (pool) => {
    const before = await balance({ ...deps, pool }, request.accountId);
    if (before === null) return { kind: "account_unknown", accountId: request.accountId };
    if (before.available === 0n) return { kind: "changed", by: 0n, available: 0n };
    return adjustCredits(deps, { ...rest, amount: -before.available });
  });
}
