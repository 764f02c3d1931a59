import type { Instant } from "@bursar/contract/instant";
import type { Account } from "./account.ts";
import type { Group } from "./book.ts";
import type { Command } from "./command.ts";
import { canonicalRow, chainHash, drawsToText, type Entry, keyOf, type NewEntry } from "./entry.ts";
import { bucketsAfter, type Movement } from "./movement.ts";

/** Turns the groups of one command into rows: dense numbers, the balance after each, and the hash chain.
 *  `before` is the account that the groups were decided on. */
export function chainEntries(
  before: Account,
  groups: readonly Group[],
  command: Command,
  now: Instant,
): NewEntry[] {
  const entries: NewEntry[] = [];
  let buckets = { ...before };
  let seq = before.seq;
  let previous = before.hash;
  for (const group of groups) {
    const facts = factsOf(group, command);
    for (const [index, movement] of group.movements.entries()) {
      buckets = { ...buckets, ...bucketsAfter(buckets, movement) };
      seq += 1n;
      const row = { ...rowOf(group, movement, index), ...facts, accountId: before.id, seq, at: now };
      const after = { availableAfter: buckets.available, heldAfter: buckets.held, owedAfter: buckets.owed };
      const unhashed = { ...row, ...after };
      const line = canonicalRow(unhashed);
      previous = chainHash(previous, line);
      entries.push({ ...unhashed, hash: previous, row: line });
    }
  }
  return entries;
}

type Facts = Pick<Entry, "feature" | "metadata" | "decision" | "note" | "requestId" | "by">;

/** A consequence was not asked for by the caller, so it carries none of the caller's facts. */
function factsOf(group: Group, command: Command): Facts {
  const requestId = command.requestId ?? null;
  if (group.consequence) {
    return {
      feature: null,
      metadata: null,
      decision: null,
      note: null,
      requestId: null,
      by: "system:expiry",
    };
  }
  return {
    feature: command.feature ?? null,
    metadata: jsonText(command.metadata),
    decision: jsonText(command.decision),
    note: command.note ?? null,
    requestId,
    by: command.by,
  };
}

function rowOf(group: Group, movement: Movement, index: number) {
  const leads = index === 0;
  return {
    kind: movement.kind,
    amount: movement.amount,
    draws: drawsToText(movement.draws),
    reference: group.reference,
    parentId: movement.parentId,
    holdAfter: movement.holdAfter,
    key: leads ? keyOf(group.key) : null,
    fingerprint: leads ? group.fingerprint : null,
    groupSize: group.movements.length,
    expiresAt: movement.expiresAt,
  };
}

function jsonText(value: Readonly<Record<string, unknown>> | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value);
}
