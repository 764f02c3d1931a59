import { type MicroCredits, smaller } from "@bursar/contract/money";
import { countable, type Hold, payingGrants, sumOfDraws } from "./account.ts";
import { corrections, isReachable, personCounted } from "./caps.ts";
import type { ExpireCommand, Refusal, ReleaseCommand, SettleCommand, UsageRecord } from "./command.ts";
import { drawsInScope } from "./decide-spend.ts";
import type { Draft } from "./draft.ts";
import { drawFrom, mergeDraws, splitDraws, subtractDraws } from "./draw.ts";
import { closingKey } from "./key.ts";

/** Ends a hold: its cost is charged exactly, also beyond what was held, and the rest goes back where it came from. */
export function closeHold(draft: Draft, command: SettleCommand | ReleaseCommand): Refusal | null {
  const hold = draft.hold(command.holdId);
  if (!hold || !isReachable(hold, command)) return { kind: "hold_unknown", holdId: command.holdId };
  closeChildren(draft, command.holdId);
  close(draft, draft.openHold(command.holdId), command.kind === "settle" ? command.amount : null);
  draft.endGroup(command, closingKey(command.holdId), usageOf(command, hold));
  return null;
}

/** Work is theirs in whose caps its hold was counted, whoever settles it. */
function usageOf(command: SettleCommand | ReleaseCommand, hold: Hold): UsageRecord | undefined {
  if (command.kind !== "settle" || command.usage === undefined) return undefined;
  const personId = personCounted(hold);
  return personId === null ? command.usage : { ...command.usage, personId };
}

/** The sweep's way to end a hold whose owner has gone: at the usage last reported, else in full. */
export function expireHold(draft: Draft, command: ExpireCommand): Refusal | null {
  const hold = draft.hold(command.holdId!);
  if (!hold) return { kind: "hold_unknown", holdId: command.holdId! };
  if (hold.expiresAt === null || hold.expiresAt > draft.now) return { kind: "hold_not_due", holdId: hold.id };
  closeChildren(draft, hold.id);
  closeAtReported(draft, draft.openHold(hold.id));
  draft.endGroup(command, closingKey(hold.id));
  return null;
}

/** Closing a parent closes its children first, each under its own key, so that none can be closed again. */
function closeChildren(draft: Draft, parentId: Hold["id"]): void {
  for (const id of allBelow(draft, parentId)) {
    closeAtReported(draft, draft.openHold(id));
    draft.endConsequence(closingKey(id), id);
  }
}

/** Every hold after those below it, however deep: a call a level would not be. */
function allBelow(draft: Draft, parentId: Hold["id"]): Hold["id"][] {
  const parentsFirst: Hold["id"][] = [];
  const next = [parentId];
  for (let id = next.pop(); id !== undefined; id = next.pop()) {
    parentsFirst.push(id);
    for (const child of draft.openChildren(id)) next.push(child.id);
  }
  return parentsFirst.slice(1).toReversed();
}

/** Nobody is there to hear a no: of what the account could not count any more, it is charged what it can. */
function closeAtReported(draft: Draft, hold: Hold): void {
  const cost = smaller(hold.reported, hold.amount + countable(draft.account));
  close(draft, hold, cost > 0n ? cost : null);
}

/** A null cost releases the whole hold; a cost of 0 settles it, and the entries tell the two apart. */
function close(draft: Draft, hold: Hold, cost: MicroCredits | null): void {
  const { left, beyond } = cost === null ? { left: hold, beyond: 0n } : charge(draft, hold, cost);
  if (left.amount > 0n || cost === null) giveBack(draft, left);
  draft.closeHold(hold.id);
  for (const { cap, by } of corrections(hold, cost ?? 0n, beyond)) draft.count([cap], by);
  draft.expireReturned();
  draft.repay();
}

/** held → spent as far as the hold goes, then the parent's rest, then available → spent, then debt. */
function charge(draft: Draft, hold: Hold, cost: MicroCredits): { left: Hold; beyond: MicroCredits } {
  const grown = growFromParent(draft, hold, cost);
  const settled = smaller(cost, grown.amount);
  const [draws, left] = splitDraws(grown.draws, settled);
  const holdAfter = grown.amount - settled;
  draft.move({ kind: "settle", amount: settled, draws, parentId: grown.parentId, holdAfter });
  const beyond = cost - settled;
  if (beyond > 0n) chargeBeyond(draft, hold, beyond);
  return { left: { ...grown, amount: holdAfter, draws: left }, beyond };
}

function chargeBeyond(draft: Draft, hold: Hold, excess: MicroCredits): void {
  const draws = drawFrom(payingGrants(draft.account, hold.feature, draft.now), excess);
  const covered = sumOfDraws(draws);
  draft.moveIfAny({ kind: "spend", amount: covered, draws });
  draft.moveIfAny({ kind: "overrun", amount: excess - covered });
}

/** A child that costs more than it held takes the difference from what its parent has left. */
function growFromParent(draft: Draft, hold: Hold, cost: MicroCredits): Hold {
  const parent = draft.parentOf(hold);
  if (parent === null || cost <= hold.amount) return hold;
  const [draws] = splitDraws(drawsInScope(draft.account, parent, hold.feature), cost - hold.amount);
  const growth = sumOfDraws(draws);
  const left = subtractDraws(parent.draws, draws);
  draft.putHold({ ...parent, amount: parent.amount - growth, draws: left });
  return { ...hold, amount: hold.amount + growth, draws: mergeDraws(draft.account, hold.draws, draws) };
}

/** Returns what was not needed to the very grants, or the parent, it came from. */
function giveBack(draft: Draft, hold: Hold): void {
  const { amount, draws, parentId } = hold;
  draft.move({ kind: "release", amount, draws, parentId, holdAfter: 0n });
  const parent = draft.parentOf(hold);
  if (parent === null) return;
  const merged = mergeDraws(draft.account, parent.draws, draws);
  draft.putHold({ ...parent, amount: parent.amount + amount, draws: merged });
}
