import type { AccountId } from "@bursar/contract/ids";
import type { Account } from "./account.ts";
import { grantsFromText, grantsToText } from "./grants-text.ts";

/** An account as one line: its fields between tabs, in the order of `accountFromText`. */
export function accountToText(account: Account): string {
  const {
    available,
    held,
    owed,
    issued,
    spent,
    expired,
    revoked,
    frozen,
    seq,
    hash,
    alertBelow,
    topupBelow,
  } = account;
  // Joined, not added up: the result is one flat string, that keeps no parts alive.
  return [
    available,
    held,
    owed,
    issued,
    spent,
    expired,
    revoked,
    frozen ? "t" : "f",
    seq,
    hash,
    alertBelow ?? "-",
    topupBelow ?? "-",
    grantsToText(account.grants),
  ].join("\t");
}

export function accountFromText(id: AccountId, text: string): Account {
  const fields = text.split("\t");
  return {
    id,
    available: amount(fields[0]!),
    held: amount(fields[1]!),
    owed: amount(fields[2]!),
    issued: amount(fields[3]!),
    spent: amount(fields[4]!),
    expired: amount(fields[5]!),
    revoked: amount(fields[6]!),
    frozen: fields[7] === "t",
    seq: BigInt(fields[8]!),
    hash: fields[9]!,
    alertBelow: limit(fields[10]!),
    topupBelow: limit(fields[11]!),
    grants: grantsFromText(fields[12]!),
  };
}

/** Most buckets of most accounts are empty, and a constant costs nothing. */
function amount(text: string): bigint {
  return text === "0" ? 0n : BigInt(text);
}

function limit(text: string): bigint | null {
  return text === "-" ? null : BigInt(text);
}
