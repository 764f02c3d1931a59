import type { Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import { type Account, compareGrants, type Draw, type OpenGrant, sumOfDraws } from "./account.ts";
import { type Bucket, type EntryKind, type GrantEffect, isTransfer, TRANSFERS } from "./kinds.ts";

/** A transfer that was decided, before it has a number and a hash. */
export interface Movement {
  readonly kind: EntryKind;
  readonly amount: MicroCredits;
  readonly draws: readonly Draw[];
  /** Set when the other side is a parent hold. */
  readonly parentId: string | null;
  readonly holdAfter: MicroCredits | null;
  /** The expiry this movement sets: of the grant, or of the hold. */
  readonly expiresAt: Instant | null;
  /** The grant that arrives with a grant or an upward adjust. */
  readonly grant: OpenGrant | null;
}

type Buckets = { -readonly [B in Bucket]: MicroCredits };

/** The account after this movement. Shared by deciding and by replaying, so that both mean the same. */
export function applyMovement(account: Account, movement: Movement): Account {
  if (!isTransfer(movement.kind)) return { ...account, frozen: movement.kind === "freeze" };
  const { available, held, owed, issued, spent, expired, revoked } = bucketsAfter(account, movement);
  const { id, frozen, seq, hash, alertBelow, topupBelow } = account;
  const grants = grantsAfter(account.grants, movement);
  // Written out, because it runs for every movement: spreading copies the fields one by one, twice.
  return {
    id,
    available,
    held,
    owed,
    issued,
    spent,
    expired,
    revoked,
    frozen,
    grants,
    seq,
    hash,
    alertBelow,
    topupBelow,
  };
}

function grantsAfter(grants: readonly OpenGrant[], movement: Movement): readonly OpenGrant[] {
  if (movement.grant !== null) return withGrant(grants, movement.grant);
  const effect = grantEffect(movement);
  return effect === "none" || movement.draws.length === 0
    ? grants
    : withDraws(grants, movement.draws, effect);
}

/** The bucket arithmetic alone: all that a replay of entries needs. */
export function bucketsAfter(
  before: Readonly<Record<Bucket | "available" | "held" | "owed", MicroCredits>>,
  movement: Pick<Movement, "kind" | "amount" | "draws" | "parentId">,
): Buckets {
  const after: Buckets = {
    issued: before.issued,
    available: before.available,
    held: before.held,
    owed: before.owed,
    spent: before.spent,
    expired: before.expired,
    revoked: before.revoked,
  };
  if (!isTransfer(movement.kind) || isBetweenHolds(movement)) return after;
  const { from, to } = TRANSFERS[movement.kind];
  const covered = movement.kind === "revoke" ? sumOfDraws(movement.draws) : movement.amount;
  leave(after, from, covered);
  leave(after, "owed", movement.amount - covered);
  arrive(after, to, movement.amount);
  return after;
}

function isBetweenHolds(movement: Pick<Movement, "kind" | "parentId">): boolean {
  return movement.parentId !== null && movement.kind !== "settle";
}

/** Debt grows by what leaves it; issued is a running total of what left it. */
function leave(buckets: Buckets, bucket: Bucket, amount: MicroCredits): void {
  if (bucket === "owed" || bucket === "issued") buckets[bucket] += amount;
  else buckets[bucket] -= amount;
}

function arrive(buckets: Buckets, bucket: Bucket, amount: MicroCredits): void {
  if (bucket === "owed") buckets[bucket] -= amount;
  else buckets[bucket] += amount;
}

type DrawEffect = Exclude<GrantEffect, "create">;

function grantEffect(movement: Movement): DrawEffect {
  if (!isTransfer(movement.kind) || isBetweenHolds(movement)) return "none";
  if (movement.kind === "adjust") return "take";
  const effect = TRANSFERS[movement.kind].grants;
  return effect === "create" ? "none" : effect;
}

function withGrant(grants: readonly OpenGrant[], arriving: OpenGrant): OpenGrant[] {
  return [...grants, arriving].sort(compareGrants);
}

/** Grants that have nothing left to give or to take back leave the row. */
function withDraws(grants: readonly OpenGrant[], draws: readonly Draw[], effect: DrawEffect): OpenGrant[] {
  const after: OpenGrant[] = [];
  for (const grant of grants) {
    const draw = draws.find(([grantId]) => grantId === grant.id);
    const next = draw === undefined ? grant : drawn(grant, draw[1], effect);
    if (next.remaining !== 0n || next.held !== 0n) after.push(next);
  }
  return after;
}

function drawn(grant: OpenGrant, amount: MicroCredits, effect: DrawEffect): OpenGrant {
  switch (effect) {
    case "take":
      return { ...grant, remaining: grant.remaining - amount };
    case "end":
      return { ...grant, remaining: grant.remaining - amount, ended: true };
    case "reserve":
      return { ...grant, remaining: grant.remaining - amount, held: grant.held + amount };
    case "consume":
      return { ...grant, held: grant.held - amount };
    case "return":
      return { ...grant, remaining: grant.remaining + amount, held: grant.held - amount };
    case "none":
      return grant;
  }
}
