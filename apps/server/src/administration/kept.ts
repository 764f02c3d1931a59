import type { OperationName } from "@bursar/contract/v1";

const NOTHING: readonly string[] = [];
const MEMBER = ["memberId"];

/** What of a body the record of administration keeps, by operation. Whatever is not named here is never written, so
 *  codes, tokens, passwords and addresses with credentials in them stay out, those of operations to come as well.
 *  Reasons have a column of their own. A price book is kept as its version. */
export const KEPT_FIELDS: Readonly<Partial<Record<OperationName, readonly string[]>>> = {
  subscribe: ["id", "plan", "currency"],
  changeSubscription: ["plan"],
  cancelSubscription: NOTHING,
  resumeSubscription: NOTHING,
  readNotice: NOTHING,
  readAllNotices: NOTHING,
  deleteNotice: NOTHING,
  deleteReadNotices: NOTHING,
  redeemGiftCard: NOTHING,
  redeemPromoCode: NOTHING,
  makeReferralCode: NOTHING,
  trackReferral: NOTHING,
  createOrganization: ["id", "name", "ownerId"],
  changeOrganization: ["name", "defaultCaps"],
  setMemberRole: [...MEMBER, "role"],
  setMemberCaps: [...MEMBER, "day", "month", "total"],
  removeMember: MEMBER,
  transferOrganization: MEMBER,
  createInvite: ["email", "role", "days"],
  revokeInvite: ["inviteId"],
  decideRequest: ["requestId", "approve", "amount"],
  addRepository: NOTHING,
  removeRepository: NOTHING,
  addPaymentMethod: NOTHING,
  setDefaultPaymentMethod: ["paymentMethod"],
  removePaymentMethod: ["paymentMethod"],
  createPurchase: ["id", "pack", "credits", "currency"],
  refundUnused: ["id"],
  putTopUpPolicy: [
    ...["enabled", "mode", "threshold", "target", "amount"],
    ...["currency", "dailyCap", "monthlyCap", "cooldownSeconds"],
  ],
  createAccount: ["id", "name", "alertBelow"],
  freezeAccount: ["id"],
  unfreezeAccount: ["id"],
  createAdjustment: ["id", "amount"],
  putQuota: ["credits", "anchor", "rollover"],
  createGrant: ["id", "amount", "source", "priority", "expiresAt", "scope", "reference"],
  revokeGrant: ["id", "amount"],
  createGiftCards: ["count", "amount", "name", "expiresAt"],
  voidGiftCards: NOTHING,
  createPromoCode: ["code", "amount", "limit", "minimumPurchased", "creditsLastDays", "expiresAt"],
  disablePromoCode: NOTHING,
  createKey: ["name", "capAmount", "capWindow", "expiresAt"],
  revokeKey: NOTHING,
  rotateKeys: NOTHING,
  putPriceBook: ["validFrom", "version"],
  refundPayment: ["id", "amount"],
  resendEvent: NOTHING,
};

/** The fields of a body that are named. */
export function pick(body: unknown, names: readonly string[]): Record<string, unknown> {
  const given = Object(body) as Record<string, unknown>;
  return Object.fromEntries(
    names.filter((name) => Object.hasOwn(given, name)).map((name) => [name, given[name]]),
  );
}
