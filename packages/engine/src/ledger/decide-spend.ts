import type { Instant } from "@bursar/contract/instant";
import { type MicroCredits, smaller } from "@bursar/contract/money";
import {
  type Account,
  type Draw,
  type Hold,
  isInScope,
  payingGrants,
  spendable,
  sumOfDraws,
} from "./account.ts";
import type { Book } from "./book.ts";
import {
  addCounted,
  counted,
  countedOfExtension,
  inherited,
  isReachable,
  leftOfCap,
  notYetCounted,
  withinCaps,
} from "./caps.ts";
import {
  type ExtendCommand,
  type HoldCommand,
  type OnHold,
  OPEN_HOLDS_LIMIT,
  type Refusal,
  type SpendCommand,
} from "./command.ts";
import type { Draft } from "./draft.ts";
import { drawFrom, mergeDraws, splitDraws, subtractDraws } from "./draw.ts";

/** Work with a known price: available → spent. Nothing is written when there is too little. */
export function spend(draft: Draft, book: Book, command: SpendCommand): Refusal | null {
  const refusal =
    mayUse(draft) ??
    withinCaps(book, command.caps ?? [], command.amount, draft.now) ??
    isCovered(draft, command.amount, command.feature);
  if (refusal !== null) return refusal;
  const draws = drawFrom(payingGrants(draft.account, command.feature ?? null, draft.now), command.amount);
  draft.move({ kind: "spend", amount: command.amount, draws });
  draft.countAll(counted(command.caps ?? [], command.amount, draft.now));
  draft.endGroup(command, command.id, command.usage);
  return null;
}

/** Reserves credits before work starts: available → held, or from a parent hold. Free work reserves nothing, and passes
 *  where there is nothing; a debt and a freeze refuse it like any other. */
export function hold(draft: Draft, book: Book, command: HoldCommand): Refusal | null {
  const { parentId, grantId, byAccount, countedIn, caps: asked } = command;
  const isRenewal = command.isLate === true && command.amount === 0n;
  const request = { parentId, grantId, byAccount, countedIn, caps: asked, isRenewal };
  const source = reserve(draft, book, request, command.amount, command.feature);
  if (source.kind === "refused") return source.refusal;
  if (isLimited(command) && book.openHolds >= OPEN_HOLDS_LIMIT)
    return { kind: "too_many_holds", limit: OPEN_HOLDS_LIMIT };
  const { draws, parent } = source;
  if (parent !== null) draft.putHold(shrunk(parent, draws));
  const own = counted(notYetCounted(command.caps, parent), command.amount, draft.now);
  const caps = [...inherited(parent), ...own];
  draft.move({
    kind: "hold",
    amount: command.amount,
    draws,
    parentId: parent?.id ?? null,
    holdAfter: command.amount,
    expiresAt: command.expiresAt,
  });
  draft.putHold({
    id: command.id,
    parentId: parent?.id ?? null,
    amount: command.amount,
    draws,
    reported: 0n,
    feature: command.feature ?? parent?.feature ?? null,
    caps,
    expiresAt: command.expiresAt,
    createdAt: draft.now,
  });
  draft.countAll(own);
  draft.endGroup(command, command.id);
  return null;
}

/** What freezes credits, or charges late work, is opened however many there are. */
function isLimited({ grantId, isLate }: HoldCommand): boolean {
  return grantId === undefined && isLate !== true;
}

/** What can be held now beside a hold, for its feature or of its parent, and under its caps. */
export function usableBeside(
  book: Book,
  { feature, parentId, caps }: HoldCommand,
  now: Instant,
): MicroCredits {
  const { account } = book;
  if (account.frozen || account.owed > 0n) return 0n;
  const parent = parentId === undefined ? null : book.holds.get(parentId);
  if (parent === undefined) return 0n;
  const left =
    parent === null
      ? spendable(account, feature ?? null, now)
      : sumOfDraws(drawsInScope(account, parent, feature ?? parent.feature));
  return notYetCounted(caps, parent).reduce((least, cap) => smaller(least, leftOfCap(book, cap, now)), left);
}

/** Grows an open hold, renews its expiry, or takes down what its work has cost so far. */
export function extend(draft: Draft, book: Book, command: ExtendCommand): Refusal | null {
  const open = draft.hold(command.holdId);
  if (open === undefined || open === null || !isReachable(open, command))
    return { kind: "hold_unknown", holdId: command.holdId };
  const feature = open.feature ?? undefined;
  const isRenewal = command.amount === 0n;
  const request = { parentId: open.parentId ?? undefined, caps: command.caps, isRenewal };
  const source = reserve(draft, book, request, command.amount, feature);
  if (source.kind === "refused") return source.refusal;
  if (source.parent !== null) draft.putHold(shrunk(source.parent, source.draws));
  const more = countedOfExtension(open, command.caps, command.amount, draft.now);
  const amount = open.amount + command.amount;
  const expiresAt = command.expiresAt ?? open.expiresAt;
  const movement = { kind: "extend", amount: command.amount, draws: source.draws } as const;
  draft.move({ ...movement, parentId: open.parentId, holdAfter: amount, expiresAt });
  draft.putHold({
    ...open,
    amount,
    expiresAt,
    draws: mergeDraws(draft.account, open.draws, source.draws),
    reported: command.reported ?? open.reported,
    caps: addCounted(open.caps, more),
  });
  draft.countAll(more);
  draft.endGroup(command, command.id);
  return null;
}

type Reservation =
  | { readonly kind: "refused"; readonly refusal: Refusal }
  | { readonly kind: "reserved"; readonly draws: readonly Draw[]; readonly parent: Hold | null };

interface Reserving extends Pick<HoldCommand, "parentId" | "grantId" | "caps" | keyof OnHold> {
  /** Of work that was let in before: asks for nothing, and passes whatever has come over the account. */
  readonly isRenewal: boolean;
}

function reserve(
  draft: Draft,
  book: Book,
  request: Reserving,
  amount: MicroCredits,
  feature: string | undefined,
): Reservation {
  if (request.grantId !== undefined) return reserveGrant(draft, request.grantId, amount);
  const parent = request.parentId === undefined ? null : (draft.hold(request.parentId) ?? null);
  if (request.parentId !== undefined && (parent === null || !isReachable(parent, request)))
    return refused({ kind: "hold_unknown", holdId: request.parentId });
  const refusal =
    (request.isRenewal ? null : mayUse(draft)) ??
    (request.isRenewal ? null : withinCaps(book, notYetCounted(request.caps, parent), amount, draft.now)) ??
    (parent === null ? isCovered(draft, amount, feature) : isLeft(draft, parent, amount, feature));
  if (refusal !== null) return refused(refusal);
  if (parent !== null) {
    const draws = splitDraws(drawsInScope(draft.account, parent, feature ?? parent.feature), amount)[0];
    return { kind: "reserved", draws, parent };
  }
  const draws = drawFrom(payingGrants(draft.account, feature ?? null, draft.now), amount);
  return { kind: "reserved", draws, parent };
}

/** An administrator's hold on what is left of one grant, as for a disputed purchase. */
function reserveGrant(draft: Draft, grantId: string, amount: MicroCredits): Reservation {
  const grant = draft.account.grants.find((open) => open.id === grantId);
  if (grant === undefined) return refused({ kind: "grant_unknown", grantId: grantId as Draw[0] });
  if (grant.remaining < amount) return refused(insufficient(grant.remaining, amount));
  return { kind: "reserved", draws: drawFrom([grant], amount), parent: null };
}

function refused(refusal: Refusal): Reservation {
  return { kind: "refused", refusal };
}

function shrunk(parent: Hold, draws: readonly Draw[]): Hold {
  return { ...parent, amount: parent.amount - sumOfDraws(draws), draws: subtractDraws(parent.draws, draws) };
}

/** What of a parent's reserve may pay for this feature. */
export function drawsInScope({ grants }: Account, parent: Hold, feature: string | null): Draw[] {
  const inScope = new Set(grants.filter((grant) => isInScope(grant, feature)).map(({ id }) => id));
  return parent.draws.filter(([id]) => inScope.has(id));
}

/** With a debt or a freeze, nothing new is held or spent. */
function mayUse(draft: Draft): Refusal | null {
  if (draft.account.frozen) return { kind: "account_frozen" };
  if (draft.account.owed > 0n) return { kind: "in_debt", owed: draft.account.owed };
  return null;
}

function isCovered(draft: Draft, amount: MicroCredits, feature: string | undefined): Refusal | null {
  const available = spendable(draft.account, feature ?? null, draft.now);
  return available >= amount ? null : insufficient(available, amount);
}

function isLeft(
  draft: Draft,
  parent: Hold,
  amount: MicroCredits,
  feature: string | undefined,
): Refusal | null {
  const left = sumOfDraws(drawsInScope(draft.account, parent, feature ?? parent.feature));
  return left >= amount ? null : { kind: "parent_exhausted", parentId: parent.id, left };
}

function insufficient(available: MicroCredits, amount: MicroCredits): Refusal {
  return { kind: "insufficient_credits", available, missing: amount - available };
}
