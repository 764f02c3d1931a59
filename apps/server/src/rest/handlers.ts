import type { OperationName } from "@bursar/contract/v1";
import * as accounts from "./accounts.ts";
import * as administration from "./administration.ts";
import * as balance from "./balance.ts";
import { batch } from "./batch.ts";
import type { Handler } from "./context.ts";
import * as deletion from "./deletion.ts";
import { rotateKeys } from "./encryption.ts";
import { exportAccount } from "./export.ts";
import * as gifts from "./gifts.ts";
import * as grants from "./grants.ts";
import * as history from "./history.ts";
import * as holds from "./holds.ts";
import * as keys from "./keys.ts";
import * as notices from "./notices.ts";
import * as organizationInvites from "./organization-invites.ts";
import * as organizationWork from "./organization-work.ts";
import * as organizations from "./organizations.ts";
import * as outlook from "./outlook.ts";
import * as events from "./payment-events.ts";
import * as methods from "./payment-methods.ts";
import * as payments from "./payments.ts";
import * as prices from "./prices.ts";
import * as promos from "./promos.ts";
import * as quota from "./quota.ts";
import * as referrals from "./referrals.ts";
import * as runs from "./runs.ts";
import { spend } from "./spend.ts";
import * as subscriptions from "./subscriptions.ts";
import * as topup from "./topup.ts";
import { exportUsage } from "./usage-export.ts";

/** One handler an operation; a missing one does not compile. */
export const handlers: { readonly [Name in OperationName]: Handler<Name> } = {
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
  check: balance.checkWork,
  createHold: holds.createHold,
  extendHold: holds.extendHold,
  settleHold: holds.settleHold,
  releaseHold: holds.releaseHold,
  createRun: runs.createRun,
  listRuns: runs.listRuns,
  getRun: runs.getRun,
  endRun: runs.endRun,
  spend,
  batch,
  listEntries: history.listEntries,
  getReceipt: history.getReceipt,
  getUsage: history.getUsage,
  exportUsage,
  previewDeletion: deletion.previewDeletion,
  deletePerson: deletion.deletePerson,
  exportAccount,
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
  createPurchase: payments.createPurchase,
  listPayments: payments.listPayments,
  getPayment: payments.getPayment,
  listPaymentMethods: methods.listPaymentMethods,
  addPaymentMethod: methods.addPaymentMethod,
  setDefaultPaymentMethod: methods.setDefaultPaymentMethod,
  refundUnused: payments.refundUnused,
  removePaymentMethod: methods.removePaymentMethod,
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
  rotateKeys,
  getPriceBook: prices.getPriceBook,
  putPriceBook: prices.putPriceBook,
  refundPayment: payments.refundPayment,
  listEvents: events.listEvents,
  resendEvent: events.resendEvent,
  listAdminActions: administration.listAdminActions,
};
