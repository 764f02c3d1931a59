import type { GrantSource } from "@bursar/contract/operations/grants";

/** Where credits can be. available, held and owed are the account's own buckets; the others are the world outside,
 *  of which the account row keeps running totals. `owed` is a debt: what leaves it makes the debt larger. */
export type Bucket = "issued" | "available" | "held" | "owed" | "spent" | "expired" | "revoked";

/** What a transfer does to the grants it draws on. */
export type GrantEffect = "create" | "take" | "end" | "reserve" | "consume" | "return" | "none";

interface Transfer {
  readonly from: Bucket;
  readonly to: Bucket;
  readonly grants: GrantEffect;
}

/** Every transfer there is. Nothing moves credits in any other way (money.md, "Transfers").
 *  A hold, extend or release with a parent moves credits between two holds: no bucket changes.
 *  A revoke takes its draws from available and the rest from owed. An adjust may be negative: then it is reversed. */
export const TRANSFERS = {
  grant: { from: "issued", to: "available", grants: "create" },
  repay: { from: "available", to: "owed", grants: "take" },
  hold: { from: "available", to: "held", grants: "reserve" },
  extend: { from: "available", to: "held", grants: "reserve" },
  settle: { from: "held", to: "spent", grants: "consume" },
  release: { from: "held", to: "available", grants: "return" },
  spend: { from: "available", to: "spent", grants: "take" },
  overrun: { from: "owed", to: "spent", grants: "none" },
  expire: { from: "available", to: "expired", grants: "end" },
  revoke: { from: "available", to: "revoked", grants: "take" },
  adjust: { from: "issued", to: "available", grants: "create" },
} as const satisfies Record<string, Transfer>;

export type TransferKind = keyof typeof TRANSFERS;

/** Entries that move nothing and record that an account was stopped or let go on. */
export type MarkKind = "freeze" | "unfreeze";

export type EntryKind = TransferKind | MarkKind;

export function isTransfer(kind: EntryKind): kind is TransferKind {
  return kind in TRANSFERS;
}

export type { GrantSource };

/** Lower is spent first (money.md, "Grants"). */
export const DEFAULT_PRIORITY: Record<GrantSource, number> = {
  free: 20,
  promo: 30,
  trial: 30,
  referral: 40,
  subscription: 50,
  admin: 60,
  organization: 70,
  purchase: 80,
  topup: 80,
  gift: 80,
};
