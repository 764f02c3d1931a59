import type { AccountId, HoldId } from "@bursar/contract/ids";
import { addSeconds, type Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type { Deps } from "../deps.ts";
import type { Cap, ExtendCommand, OnHold, Refusal } from "../ledger/command.ts";
import { recordRefusal } from "../receipt/refused.ts";
import { type WithTopUp, withTopUp } from "../topup/cover.ts";

export interface ExtendRequest extends OnHold {
  readonly accountId: AccountId;
  /** Idempotency key of this one extension. */
  readonly id: string;
  readonly holdId: HoldId;
  /** 0 to renew or report only. */
  readonly amount: MicroCredits;
  /** Renews the expiry to this long from now. */
  readonly ttlSeconds?: number | undefined;
  /** The work's cost so far: settled by the sweep if its owner never comes back. */
  readonly reported?: MicroCredits | undefined;
  readonly caps?: readonly Cap[] | undefined;
  readonly by: string;
  readonly keyId?: string | undefined;
  readonly requestId?: string | undefined;
}

export type ExtendOutcome =
  | {
      readonly kind: "extended";
      readonly duplicate: boolean;
      /** All that is held now. */
      readonly amount: MicroCredits;
      readonly extended: MicroCredits;
      readonly available: MicroCredits;
      readonly expiresAt: Instant | null;
    }
  | (Refusal & WithTopUp);

/** Grows a hold while its work grows, in slices as small as the caller likes. Where too few credits are there and the
 *  account's top-up allows it, waits for more.
 *  Units: micro-credits. Outcomes: the ledger's refusals in their order, extended. Throws: LedgerUnavailable. */
export async function extend(
  deps: Pick<Deps, "ledger" | "clock" | "refusals" | "topUps">,
  request: ExtendRequest,
): Promise<ExtendOutcome> {
  return withTopUp(deps.topUps, request, () => extendNow(deps, request));
}

async function extendNow(
  deps: Pick<Deps, "ledger" | "clock" | "refusals">,
  request: ExtendRequest,
): Promise<ExtendOutcome> {
  const { ttlSeconds, ...rest } = request;
  const expiresAt = ttlSeconds === undefined ? undefined : addSeconds(deps.clock.now(), ttlSeconds);
  const command: ExtendCommand = { ...rest, kind: "extend", expiresAt, asked: askedBy(request) };
  const outcome = await deps.ledger.submit(command);
  if (outcome.kind !== "done" && outcome.kind !== "duplicate") {
    await recordRefusal(deps, command, outcome);
    return outcome;
  }
  const { result } = outcome;
  return {
    kind: "extended",
    duplicate: outcome.kind === "duplicate",
    amount: result.holdAmount!,
    extended: result.amount,
    available: result.available,
    expiresAt: result.expiresAt,
  };
}

/** A report or a renewal under an id that was used for another is not done, so it must not look as if it were. */
function askedBy({ amount, ttlSeconds, reported }: ExtendRequest): string | undefined {
  if (ttlSeconds === undefined && reported === undefined) return undefined;
  return JSON.stringify([String(amount), ttlSeconds, reported === undefined ? undefined : String(reported)]);
}
