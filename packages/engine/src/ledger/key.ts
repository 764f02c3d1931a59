import type { HoldId } from "@bursar/contract/ids";
import type { Command } from "./command.ts";
import { fingerprintOf } from "./entry.ts";

/** Names that no caller can choose, because ids contain no space. */
export function closingKey(holdId: string): string {
  return `close ${holdId}`;
}

export function expiryKey(grantId: string): string {
  return `expire ${grantId}`;
}

/** The idempotency key of a command: the caller's id. A hold closes once and a grant expires once,
 *  so there the id of the hold or grant is the key. */
export function keyNameOf(command: Command): string {
  switch (command.kind) {
    case "settle":
    case "release":
      return closingKey(command.holdId);
    case "expire":
      return command.holdId === undefined ? expiryKey(command.grantId!) : closingKey(command.holdId);
    default:
      return command.id;
  }
}

/** All keys whose past an answer needs: the command's own, and how the holds it names were closed. */
export function keysToProbe(command: Command): string[] {
  const own = keyNameOf(command);
  if (command.kind === "extend") return [own, closingKey(command.holdId)];
  if (command.kind === "revoke") return [own, command.grantId];
  if (command.kind !== "hold") return [own];
  const closings = [own, closingKey(command.id)];
  return command.parentId === undefined ? closings : [...closings, closingKey(command.parentId)];
}

export function holdsNamed(command: Command): HoldId[] {
  switch (command.kind) {
    case "hold":
      return command.parentId === undefined ? [] : [command.parentId];
    case "extend":
    case "settle":
    case "release":
      return [command.holdId];
    case "expire":
      return command.holdId === undefined ? [] : [command.holdId];
    default:
      return [];
  }
}

/** What must be the same for a repetition to be one. Who asked, under which request and why it was allowed may differ. */
export function fingerprint(command: Command): bigint {
  return fingerprintOf(bodyOf(command));
}

function bodyOf(command: Command): string {
  const amount = "amount" in command ? String(command.amount) : null;
  const common = [command.kind, command.asked ?? amount, command.feature, command.metadata];
  switch (command.kind) {
    case "grant":
      return JSON.stringify([
        ...common,
        command.source,
        command.priority,
        command.scope,
        command.asked ?? command.expiresAt,
      ]);
    case "hold":
      return JSON.stringify([...common, command.parentId, command.grantId]);
    case "extend":
      return JSON.stringify([...common, command.holdId]);
    case "settle":
    case "release":
    case "expire":
      return JSON.stringify([...common, command.holdId]);
    case "revoke":
      return JSON.stringify([...common, command.grantId]);
    case "spend":
    case "adjust":
    case "freeze":
    case "unfreeze":
      return JSON.stringify([...common, command.note]);
  }
}

/** What a command is about: a hold, a grant, or itself. */
export function referenceOf(command: Command): string {
  switch (command.kind) {
    case "extend":
    case "settle":
    case "release":
      return command.holdId;
    case "expire":
      return command.holdId ?? command.grantId!;
    case "revoke":
      return command.grantId;
    default:
      return command.id;
  }
}
