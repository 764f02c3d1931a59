import * as accounts from "./operations/accounts.ts";
import * as administration from "./operations/administration.ts";
import * as balance from "./operations/balance.ts";
import * as deletion from "./operations/deletion.ts";
import * as encryption from "./operations/encryption.ts";
import * as exports from "./operations/export.ts";
import * as gifts from "./operations/gifts.ts";
import * as grants from "./operations/grants.ts";
import * as history from "./operations/history.ts";
import * as holds from "./operations/holds.ts";
import * as keys from "./operations/keys.ts";
import * as notices from "./operations/notices.ts";
import * as organizationInvites from "./operations/organization-invites.ts";
import * as organizationWork from "./operations/organization-work.ts";
import * as organizations from "./operations/organizations.ts";
import * as outlook from "./operations/outlook.ts";
import * as payments from "./operations/payments.ts";
import * as prices from "./operations/prices.ts";
import * as promos from "./operations/promos.ts";
import * as quota from "./operations/quota.ts";
import * as referrals from "./operations/referrals.ts";
import * as runs from "./operations/runs.ts";
import * as spending from "./operations/spend.ts";
import * as subscriptions from "./operations/subscriptions.ts";
import * as topup from "./operations/topup.ts";

/** All operations of REST v1, in the order the documentation shows them. */
export const v1 = {
  getBalance: balance.getBalance,
  getQuota: quota.getQuota,
  listExpiries: outlook.listExpiries,
  getForecast: outlook.getForecast,
  listPlans: subscriptions.listPlans,
  getSubscription: subscriptions.getSubscription,
  subscribe: subscriptions.subscribe,
  previewSubscription: subscriptions.previewSubscription,
  changeSubscription: subscriptions.changeSubscription,
  cancelSubscription: subscriptions.cancelSubscription,
  resumeSubscription: subscriptions.resumeSubscription,
  listInvoices: subscriptions.listInvoices,
  check: balance.check,
  createHold: holds.createHold,
  extendHold: holds.extendHold,
  settleHold: holds.settleHold,
  releaseHold: holds.releaseHold,
  createRun: runs.createRun,
  listRuns: runs.listRuns,
  getRun: runs.getRun,
  endRun: runs.endRun,
  spend: spending.spend,
  batch: spending.batch,
  listEntries: history.listEntries,
  getReceipt: history.getReceipt,
  getUsage: history.getUsage,
  exportUsage: history.exportUsage,
  previewDeletion: deletion.previewDeletion,
  deletePerson: deletion.deletePerson,
  exportAccount: exports.exportAccount,
  listNotices: notices.listNotices,
  readNotice: notices.readNotice,
  readAllNotices: notices.readAllNotices,
  deleteNotice: notices.deleteNotice,
  deleteReadNotices: notices.deleteReadNotices,
  redeemGiftCard: gifts.redeemGiftCard,
  redeemPromoCode: promos.redeemPromoCode,
  getReferrals: referrals.getReferrals,
  makeReferralCode: referrals.makeReferralCode,
  trackReferral: referrals.trackReferral,
  createOrganization: organizations.createOrganization,
  listOrganizations: organizations.listOrganizations,
  getOrganization: organizations.getOrganization,
  changeOrganization: organizations.changeOrganization,
  listMembers: organizations.listMembers,
  setMemberRole: organizations.setMemberRole,
  setMemberCaps: organizations.setMemberCaps,
  removeMember: organizations.removeMember,
  leaveOrganization: organizations.leaveOrganization,
  transferOrganization: organizations.transferOrganization,
  createInvite: organizationInvites.createInvite,
  listInvites: organizationInvites.listInvites,
  revokeInvite: organizationInvites.revokeInvite,
  acceptInvite: organizationInvites.acceptInvite,
  requestCredits: organizationWork.requestCredits,
  listRequests: organizationWork.listRequests,
  decideRequest: organizationWork.decideRequest,
  addRepository: organizationWork.addRepository,
  listRepositories: organizationWork.listRepositories,
  removeRepository: organizationWork.removeRepository,
  listModels: prices.listModels,
  listPacks: payments.listPacks,
  listPaymentMethods: payments.listPaymentMethods,
  addPaymentMethod: payments.addPaymentMethod,
  setDefaultPaymentMethod: payments.setDefaultPaymentMethod,
  createPurchase: payments.createPurchase,
  listPayments: payments.listPayments,
  getPayment: payments.getPayment,
  refundUnused: payments.refundUnused,
  removePaymentMethod: payments.removePaymentMethod,
  getTopUpPolicy: topup.getTopUpPolicy,
  putTopUpPolicy: topup.putTopUpPolicy,
  previewTopUpPolicy: topup.previewTopUpPolicy,
  listTopUpAttempts: topup.listTopUpAttempts,
  createAccount: accounts.createAccount,
  listAccounts: accounts.listAccounts,
  getAccount: accounts.getAccount,
  freezeAccount: accounts.freezeAccount,
  unfreezeAccount: accounts.unfreezeAccount,
  createAdjustment: accounts.createAdjustment,
  putQuota: quota.putQuota,
  createGrant: grants.createGrant,
  revokeGrant: grants.revokeGrant,
  createGiftCards: gifts.createGiftCards,
  listGiftBatches: gifts.listGiftBatches,
  getGiftBatch: gifts.getGiftBatch,
  voidGiftCards: gifts.voidGiftCards,
  createPromoCode: promos.createPromoCode,
  listPromoCodes: promos.listPromoCodes,
  disablePromoCode: promos.disablePromoCode,
  createKey: keys.createKey,
  listKeys: keys.listKeys,
  revokeKey: keys.revokeKey,
  rotateKeys: encryption.rotateKeys,
  getPriceBook: prices.getPriceBook,
  putPriceBook: prices.putPriceBook,
  refundPayment: payments.refundPayment,
  listEvents: payments.listEvents,
  resendEvent: payments.resendEvent,
  listAdminActions: administration.listAdminActions,
} as const;

export type OperationName = keyof typeof v1;
