import { randomText } from "./random-text.ts";

type Branded<Name extends string> = string & { readonly __id: Name };

export type AccountId = Branded<"account">;
export type GrantId = Branded<"grant">;
export type HoldId = Branded<"hold">;
/** Any operation's id. The caller makes it, and it is the idempotency key. */
export type OperationId = Branded<"operation">;
export type KeyId = Branded<"key">;
export type PaymentId = Branded<"payment">;
export type RequestId = Branded<"request">;

/** What an id from outside may look like: printable, no spaces, at most 128 characters. */
export const ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._:@/+-]{0,127}$/;

const OURS = /^(grant_|gift:|promo:|referral:|refund:|reverse:|dispute:|hold_dispute_)/;

/** How an id begins under which credits come or go by themselves (payments, refunds, disputes, quotas, plans, codes);
 *  null: none of those. Under one id only what comes first is done, so no account may use these up for work of its own. */
export function reservedStart(id: string): string | null {
  return OURS.exec(id)?.[0] ?? null;
}

const suffix = randomText("0123456789abcdefghjkmnpqrstvwxyz", 24);

export const newAccountId = (): AccountId => `acct_${suffix()}` as AccountId;
export const newGrantId = (): GrantId => `grant_${suffix()}` as GrantId;
export const newHoldId = (): HoldId => `hold_${suffix()}` as HoldId;
export const newOperationId = (): OperationId => `op_${suffix()}` as OperationId;
export const newKeyId = (): KeyId => `key_${suffix()}` as KeyId;
export const newOrganizationId = (): string => `org_${suffix()}`;
export const newInviteId = (): string => `invite_${suffix()}`;
export const newCapRequestId = (): string => `ask_${suffix()}`;
export const newRunId = (): string => `run_${suffix()}`;
export const newGiftBatchId = (): string => `batch_${suffix()}`;
export const newGiftCardId = (): string => `gift_${suffix()}`;
export const newActionId = (): string => `action_${suffix()}`;
export const newRequestId = (): RequestId => `req_${suffix()}` as RequestId;
/** For links that people follow without signing in. */
export const newLink = (): string => suffix();
export const newPaymentId = (): PaymentId => `pay_${suffix()}` as PaymentId;
