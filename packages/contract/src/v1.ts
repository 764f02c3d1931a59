import * as accounts from "./operations/accounts.ts";
import * as balance from "./operations/balance.ts";
import * as encryption from "./operations/encryption.ts";
import * as grants from "./operations/grants.ts";
import * as history from "./operations/history.ts";
import * as holds from "./operations/holds.ts";
import * as keys from "./operations/keys.ts";
import * as notices from "./operations/notices.ts";
import * as outlook from "./operations/outlook.ts";
import * as prices from "./operations/prices.ts";
import * as quota from "./operations/quota.ts";
import * as spending from "./operations/spend.ts";
import * as subscriptions from "./operations/subscriptions.ts";

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
  spend: spending.spend,
  batch: spending.batch,
  listEntries: history.listEntries,
  getReceipt: history.getReceipt,
  getUsage: history.getUsage,
  exportUsage: history.exportUsage,
  listNotices: notices.listNotices,
  readNotice: notices.readNotice,
  readAllNotices: notices.readAllNotices,
  deleteNotice: notices.deleteNotice,
  deleteReadNotices: notices.deleteReadNotices,
  listModels: prices.listModels,
  createAccount: accounts.createAccount,
  listAccounts: accounts.listAccounts,
  getAccount: accounts.getAccount,
  freezeAccount: accounts.freezeAccount,
  unfreezeAccount: accounts.unfreezeAccount,
  createAdjustment: accounts.createAdjustment,
  putQuota: quota.putQuota,
  createGrant: grants.createGrant,
  revokeGrant: grants.revokeGrant,
  createKey: keys.createKey,
  listKeys: keys.listKeys,
  revokeKey: keys.revokeKey,
  rotateKeys: encryption.rotateKeys,
  getPriceBook: prices.getPriceBook,
  putPriceBook: prices.putPriceBook,
} as const;

export type OperationName = keyof typeof v1;
