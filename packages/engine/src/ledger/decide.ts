import type { HoldId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import { MAX_AMOUNT, type MicroCredits } from "@bursar/contract/money";
import { countable } from "./account.ts";
import type { Book, Changes, KnownGroup } from "./book.ts";
import type { Command, FreezeCommand, Refusal } from "./command.ts";
import { closeHold, expireHold } from "./decide-close.ts";
import { adjust, expireGrant, grant, revoke } from "./decide-grant.ts";
import { extend, hold, spend } from "./decide-spend.ts";
import { Draft } from "./draft.ts";
import { keyOf } from "./entry.ts";
import { closingKey, fingerprint, keyNameOf } from "./key.ts";

export type Decision =
  | { readonly kind: "accept"; readonly changes: Changes }
  | { readonly kind: "duplicate"; readonly known: KnownGroup }
  | { readonly kind: "refuse"; readonly refusal: Refusal };

/** Decides one command on one account. Pure: no clock, no I/O, no await.
 *  The order of refusals is the one documented at `Refusal`. */
export function decide(book: Book, command: Command, now: Instant): Decision {
  const outOfRange = amountOutOfRange(command);
  if (outOfRange !== null) return { kind: "refuse", refusal: outOfRange };
  const known = repetition(book, command) ?? namesClosedHold(book, command);
  if (known !== null) return known;
  const draft = new Draft(book, now);
  const refusal = apply(draft, book, command) ?? beyondCounting(draft, book, command);
  return refusal === null ? { kind: "accept", changes: draft.changes() } : { kind: "refuse", refusal };
}

function apply(draft: Draft, book: Book, command: Command): Refusal | null {
  switch (command.kind) {
    case "grant":
      return grant(draft, command);
    case "spend":
      return spend(draft, book, command);
    case "hold":
      return hold(draft, book, command);
    case "extend":
      return extend(draft, book, command);
    case "settle":
    case "release":
      return closeHold(draft, command);
    case "expire":
      return command.holdId === undefined ? expireGrant(draft, command) : expireHold(draft, command);
    case "revoke":
      return revoke(draft, book, command);
    case "adjust":
      return adjust(draft, command);
    case "freeze":
    case "unfreeze":
      return mark(draft, command);
  }
}

function mark(draft: Draft, command: FreezeCommand): null {
  draft.move({ kind: command.kind, amount: 0n });
  draft.endGroup(command, command.id);
  return null;
}

const SMALLEST: Record<Command["kind"], MicroCredits> = {
  grant: 1n,
  spend: 0n,
  hold: 0n,
  extend: 0n,
  settle: 0n,
  release: 0n,
  expire: 0n,
  revoke: 1n,
  adjust: -MAX_AMOUNT,
  freeze: 0n,
  unfreeze: 0n,
};

function amountOutOfRange(command: Command): Refusal | null {
  if (!("amount" in command)) return null;
  const isZeroAdjust = command.kind === "adjust" && command.amount === 0n;
  const inRange = command.amount >= SMALLEST[command.kind] && command.amount <= MAX_AMOUNT;
  return inRange && !isZeroAdjust ? null : { kind: "amount_out_of_range", amount: command.amount };
}

/** What the account's row could not count. It would fail in the database, again and again where the sweep asks, and with
 *  it for a while whatever is on its way there. */
function beyondCounting({ account }: Draft, book: Book, command: Command): Refusal | null {
  if (countable(account) >= 0n) return null;
  const amount = "amount" in command ? command.amount : 0n;
  return { kind: "amount_out_of_range", amount, countable: countable(book.account) };
}

/** Same key and same body: the first result. Same key, another body: a conflict. */
function repetition(book: Book, command: Command): Decision | null {
  const known = book.groups?.get(keyOf(keyNameOf(command)));
  if (known === undefined) return null;
  if (closesHold(command)) return repeatedClose(known, command);
  const isSame = known.fingerprint === null || known.fingerprint === fingerprint(command);
  if (isSame) return { kind: "duplicate", known };
  return { kind: "refuse", refusal: { kind: "key_conflict", key: keyNameOf(command) } };
}

type Close = Command & { readonly kind: "settle" | "release" | "expire"; readonly holdId: HoldId };

function closesHold(command: Command): command is Close {
  return "holdId" in command && command.kind !== "extend" && command.holdId !== undefined;
}

/** A hold closes once. Closing it again the same way gives the first result, whatever the amount; the other way is
 *  refused. The sweep repeats only itself. */
function repeatedClose(known: KnownGroup, command: Close): Decision {
  const isRepeated =
    command.kind === "expire" ? known.fingerprint === fingerprint(command) : known.leader === command.kind;
  if (isRepeated) return { kind: "duplicate", known };
  return { kind: "refuse", refusal: { kind: "hold_closed", holdId: command.holdId } };
}

/** An extend, or a child of a parent, that comes too late. */
function namesClosedHold(book: Book, command: Command): Decision | null {
  const holdId = holdThatMustBeOpen(command);
  if (holdId === undefined || book.groups?.has(keyOf(closingKey(holdId))) !== true) return null;
  return { kind: "refuse", refusal: { kind: "hold_closed", holdId } };
}

function holdThatMustBeOpen(command: Command): HoldId | undefined {
  if (command.kind === "extend") return command.holdId;
  return command.kind === "hold" ? command.parentId : undefined;
}
