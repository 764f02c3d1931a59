import { type MicroCredits, smaller } from "@bursar/contract/money";
import type { Account, Draw, OpenGrant } from "./account.ts";

/** Takes up to `amount` from these grants in their order; less comes back when there is less. */
export function drawFrom(grants: readonly OpenGrant[], amount: MicroCredits): Draw[] {
  const draws: Draw[] = [];
  let missing = amount;
  for (const grant of grants) {
    if (missing === 0n) break;
    if (grant.remaining === 0n) continue;
    const part = smaller(grant.remaining, missing);
    draws.push([grant.id, part]);
    missing -= part;
  }
  return draws;
}

/** Splits a hold's draws at `amount`: the first part in spending order, and what is left. */
export function splitDraws(draws: readonly Draw[], amount: MicroCredits): [taken: Draw[], left: Draw[]] {
  const taken: Draw[] = [];
  const left: Draw[] = [];
  let missing = amount;
  for (const [grantId, part] of draws) {
    const share = smaller(part, missing);
    if (share > 0n) taken.push([grantId, share]);
    if (part > share) left.push([grantId, part - share]);
    missing -= share;
  }
  return [taken, left];
}

/** Takes draws out of the draws they are part of. */
export function subtractDraws(draws: readonly Draw[], taken: readonly Draw[]): Draw[] {
  const gone = new Map(taken);
  return draws.flatMap(([grantId, amount]): Draw[] => {
    const left = amount - (gone.get(grantId) ?? 0n);
    return left === 0n ? [] : [[grantId, left]];
  });
}

/** Adds draws to draws, kept in the account's spending order. */
export function mergeDraws(account: Account, draws: readonly Draw[], more: readonly Draw[]): Draw[] {
  const merged = new Map(draws);
  for (const [grantId, amount] of more) merged.set(grantId, (merged.get(grantId) ?? 0n) + amount);
  if (merged.size < 2) return [...merged];
  const inOrder: Draw[] = [];
  for (const grant of account.grants) {
    const amount = merged.get(grant.id);
    if (amount !== undefined) inOrder.push([grant.id, amount]);
  }
  return inOrder;
}
