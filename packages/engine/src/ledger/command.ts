import type { AccountId, GrantId, HoldId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type { GrantSource } from "./kinds.ts";

/** A hard stop on what one key, member or run may use within a window; `limit` in micro-credits. */
export interface Cap {
  readonly id: string;
  readonly limit: MicroCredits;
  readonly window: "total" | "day" | "month";
}

/** What AI work used. `inputTokens` includes the cached ones, as providers report it. */
export interface UsageRecord {
  readonly model: string;
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly priceVersion: number;
  readonly keyId: string | null;
  /** Whose work it was; null: an API key's alone. */
  readonly personId: string | null;
}

/** The limit of a cap that only counts: an account holds less than this. */
export const UNLIMITED: MicroCredits = 2n ** 63n - 1n;

/** So many holds an account may have open. Closing one closes all below it in one step, which everybody else's commands
 *  wait for. */
export const OPEN_HOLDS_LIMIT = 5_000;

interface CommandBase {
  readonly accountId: AccountId;
  /** Who asked: `key:…`, `admin:…` or `system:…`. */
  readonly by: string;
  /** The API key that asks to use credits: the ledger itself refuses a revoked or expired one, in the same batch. */
  readonly keyId?: string | undefined;
  readonly requestId?: string | undefined;
  readonly feature?: string | undefined;
  /** The caller's own facts, kept word for word. */
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  /** Why this amount and why allowed: price version, tokens, policy. For the receipt. */
  readonly decision?: Readonly<Record<string, unknown>> | undefined;
  readonly note?: string | undefined;
  /** What the caller asked, word for word, where the amount or an expiry was worked out from it: the same question
   *  is the same command even if prices or the time have moved on meanwhile. */
  readonly asked?: string | undefined;
}

export interface GrantCommand extends CommandBase {
  readonly kind: "grant";
  readonly id: GrantId;
  readonly amount: MicroCredits;
  readonly source: GrantSource;
  readonly priority: number;
  readonly expiresAt: Instant | null;
  readonly scope: readonly string[] | null;
  readonly reference?: string | undefined;
}

export interface SpendCommand extends CommandBase {
  readonly kind: "spend";
  readonly id: string;
  readonly amount: MicroCredits;
  readonly caps?: readonly Cap[] | undefined;
  readonly usage?: UsageRecord | undefined;
}

export interface HoldCommand extends CommandBase, OnHold {
  readonly kind: "hold";
  readonly id: HoldId;
  readonly amount: MicroCredits;
  /** null only for a hold on one grant, such as a disputed purchase. */
  readonly expiresAt: Instant | null;
  /** Draws from this open hold instead of from what is available. */
  readonly parentId?: HoldId | undefined;
  /** Reserves this grant alone, whatever the account's state: an administrator's hold, for disputes. */
  readonly grantId?: GrantId | undefined;
  /** Of work that was let in before, by a hold that somebody has closed since: reserves nothing, and like the renewal of
   *  a hold passes whatever has come over the account, so that its settlement becomes exact debt. */
  readonly isLate?: boolean | undefined;
  readonly caps?: readonly Cap[] | undefined;
}

/** Who may know of a hold, and draw from it. To anybody else it is unknown. */
export interface OnHold extends ByAccount {
  /** For callers who share an account: a hold that does not count in this cap is none of theirs. */
  readonly countedIn?: string | undefined;
}

export interface ByAccount {
  /** The account itself asks, and no administrator or job: holds without expiry are not its own, as those that freeze
   *  disputed credits are not. */
  readonly byAccount?: boolean | undefined;
}

export interface ExtendCommand extends CommandBase, OnHold {
  readonly kind: "extend";
  readonly id: string;
  readonly holdId: HoldId;
  /** 0 when only the expiry or the report is renewed. */
  readonly amount: MicroCredits;
  readonly expiresAt?: Instant | undefined;
  /** The cost of the work so far: what the sweep settles at if the owner dies. */
  readonly reported?: MicroCredits | undefined;
  readonly caps?: readonly Cap[] | undefined;
}

/** A hold closes once, so its id is the key. */
export interface SettleCommand extends CommandBase, OnHold {
  readonly kind: "settle";
  readonly holdId: HoldId;
  /** The work's real cost; may be 0, less or more than was held. */
  readonly amount: MicroCredits;
  readonly usage?: UsageRecord | undefined;
}

export interface ReleaseCommand extends CommandBase, OnHold {
  readonly kind: "release";
  readonly holdId: HoldId;
}

/** Ends what time has ended: a grant past its expiry, or a hold past its own (settled at the reported usage). */
export interface ExpireCommand extends CommandBase {
  readonly kind: "expire";
  readonly grantId?: GrantId | undefined;
  readonly holdId?: HoldId | undefined;
}

export interface RevokeCommand extends CommandBase {
  readonly kind: "revoke";
  readonly id: string;
  readonly grantId: GrantId;
  readonly amount: MicroCredits;
}

export interface AdjustCommand extends CommandBase {
  readonly kind: "adjust";
  readonly id: string;
  /** Positive adds a grant of source admin under the command's id; negative takes from what is available. */
  readonly amount: MicroCredits;
  readonly note: string;
}

export interface FreezeCommand extends CommandBase {
  readonly kind: "freeze" | "unfreeze";
  readonly id: string;
  readonly note: string;
}

export type Command =
  | GrantCommand
  | SpendCommand
  | HoldCommand
  | ExtendCommand
  | SettleCommand
  | ReleaseCommand
  | ExpireCommand
  | RevokeCommand
  | AdjustCommand
  | FreezeCommand;

export type CommandKind = Command["kind"];

/** What a command did. The same for the first answer and for every repetition: it is read off the entries. */
export interface Result {
  /** The newest entry of the group. */
  readonly seq: bigint;
  /** What the first entry moved: granted, held, extended, revoked, adjusted. */
  readonly amount: MicroCredits;
  /** Work paid or owed: settle + spend + overrun. */
  readonly charged: MicroCredits;
  readonly released: MicroCredits;
  readonly overrun: MicroCredits;
  readonly repaid: MicroCredits;
  readonly expired: MicroCredits;
  /** The account after it. */
  readonly available: MicroCredits;
  readonly held: MicroCredits;
  readonly owed: MicroCredits;
  /** The hold's amount after it; null where no hold was concerned. */
  readonly holdAmount: MicroCredits | null;
  readonly expiresAt: Instant | null;
}

/** Why a command changed nothing. First match wins, in this order:
 *  account_unknown, (duplicate), key_revoked, key_expired, amount_out_of_range, key_conflict, hold_unknown, hold_closed, hold_not_due,
 *  grant_unknown, grant_not_due, account_frozen, in_debt, cap_exceeded, parent_exhausted, insufficient_credits,
 *  too_many_holds, and amount_out_of_range again for what would bring the account beyond what it can count. */
export type Refusal =
  | { readonly kind: "key_revoked"; readonly keyId: string }
  | { readonly kind: "key_expired"; readonly keyId: string }
  | {
      readonly kind: "amount_out_of_range";
      readonly amount: MicroCredits;
      /** What the account can count besides what it has had and owes, where it is that which is too little. */
      readonly countable?: MicroCredits | undefined;
    }
  | { readonly kind: "account_unknown"; readonly accountId: AccountId }
  | { readonly kind: "key_conflict"; readonly key: string }
  | { readonly kind: "hold_unknown"; readonly holdId: HoldId }
  | { readonly kind: "hold_closed"; readonly holdId: HoldId }
  | { readonly kind: "hold_not_due"; readonly holdId: HoldId }
  | { readonly kind: "grant_unknown"; readonly grantId: GrantId }
  | { readonly kind: "grant_not_due"; readonly grantId: GrantId }
  | { readonly kind: "account_frozen" }
  | { readonly kind: "in_debt"; readonly owed: MicroCredits }
  | { readonly kind: "cap_exceeded"; readonly cap: Cap; readonly used: MicroCredits }
  | { readonly kind: "parent_exhausted"; readonly parentId: HoldId; readonly left: MicroCredits }
  | {
      readonly kind: "insufficient_credits";
      readonly available: MicroCredits;
      readonly missing: MicroCredits;
    }
  | { readonly kind: "too_many_holds"; readonly limit: number };

export type Outcome =
  | ({ readonly kind: "done"; readonly result: Result } & Usable)
  /** The same command was done before; this is its first result. */
  | ({ readonly kind: "duplicate"; readonly result: Result } & Usable)
  | Refusal;

interface Usable {
  /** After a hold, what its work can use by now: the hold itself while it is open, and what can be held besides, for its
   *  feature or of its parent. Undefined for other commands. */
  readonly usable?: MicroCredits | undefined;
}

export type OutcomeKind = Outcome["kind"];
