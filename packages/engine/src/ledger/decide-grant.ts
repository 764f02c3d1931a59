import { smaller } from "@bursar/contract/money";
import { type Draw, isExpired, type OpenGrant, sumOfDraws } from "./account.ts";
import { type Book, counterName } from "./book.ts";
import { revokedCounter } from "./caps.ts";
import type { AdjustCommand, ExpireCommand, GrantCommand, Refusal, RevokeCommand } from "./command.ts";
import type { Draft } from "./draft.ts";
import { drawFrom } from "./draw.ts";
import { keyOf } from "./entry.ts";
import { DEFAULT_PRIORITY } from "./kinds.ts";

/** Credits arrive; a debt is paid first, exactly, also by a grant that is scoped. */
export function grant(draft: Draft, command: GrantCommand): Refusal | null {
  const { id, source, priority, expiresAt, scope } = command;
  arrive(draft, "grant", { ...blank(draft, command.amount), id, source, priority, expiresAt, scope });
  draft.endGroup(command, id);
  return null;
}

/** An administrator's correction. Downward, it takes no more than is available. */
export function adjust(draft: Draft, command: AdjustCommand): Refusal | null {
  if (command.amount > 0n) {
    arrive(draft, "adjust", { ...blank(draft, command.amount), id: command.id as OpenGrant["id"] });
  } else {
    const wanted = -command.amount;
    const draws = drawFrom(draft.account.grants, wanted);
    const found = sumOfDraws(draws);
    if (found < wanted) return { kind: "insufficient_credits", available: found, missing: wanted - found };
    draft.move({ kind: "adjust", amount: command.amount, draws });
  }
  draft.endGroup(command, command.id);
  return null;
}

/** Takes a grant back, as for a refund: first what remains of it, and the rest becomes debt, which other credits
 *  then pay as far as they go. */
export function revoke(draft: Draft, book: Book, command: RevokeCommand): Refusal | null {
  const issued = book.groups?.get(keyOf(command.grantId));
  if (issued?.leader !== "grant" && issued?.leader !== "adjust") {
    return { kind: "grant_unknown", grantId: command.grantId };
  }
  const counted = { id: revokedCounter(command.grantId), windowStart: "total" };
  const revoked = book.counters.get(counterName(counted.id, counted.windowStart)) ?? 0n;
  if (revoked + command.amount > issued.result.amount) {
    return { kind: "amount_out_of_range", amount: command.amount };
  }
  const open = draft.account.grants.find((candidate) => candidate.id === command.grantId);
  const taken = smaller(open?.remaining ?? 0n, command.amount);
  const draws: Draw[] = taken === 0n ? [] : [[command.grantId, taken]];
  draft.move({ kind: "revoke", amount: command.amount, draws });
  draft.repay();
  draft.count([counted], command.amount);
  draft.endGroup(command, command.id);
  return null;
}

/** The sweep's command. The draft has already expired whatever was due: here it only gets its name. */
export function expireGrant(draft: Draft, command: ExpireCommand): Refusal | null {
  const grantId = command.grantId!;
  if (draft.hasExpired(grantId)) return null;
  const isOpen = draft.account.grants.some((open) => open.id === grantId && open.remaining > 0n);
  return isOpen ? { kind: "grant_not_due", grantId } : { kind: "grant_unknown", grantId };
}

function blank(draft: Draft, amount: bigint): Omit<OpenGrant, "id"> {
  return {
    source: "admin",
    remaining: amount,
    held: 0n,
    priority: DEFAULT_PRIORITY.admin,
    expiresAt: null,
    allocatedAt: draft.now,
    scope: null,
  };
}

function arrive(draft: Draft, kind: "grant" | "adjust", grant: OpenGrant): void {
  draft.move({
    kind,
    amount: grant.remaining,
    draws: [[grant.id, grant.remaining]],
    grant,
    expiresAt: grant.expiresAt,
  });
  // One that comes after its own expiry gives nothing, not even to a debt.
  draft.expireReturned();
  const left = isExpired(grant, draft.now) ? 0n : grant.remaining;
  const part = smaller(draft.account.owed, left);
  draft.moveIfAny({ kind: "repay", amount: part, draws: part === 0n ? [] : [[grant.id, part]] });
}
