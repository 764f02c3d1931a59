/** Whatever REST v1 can do, the command can, too: each of these is run, and what it asks the server is looked at. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startScriptedServer } from "@bursar/client/testing";
import type { Operation } from "@bursar/contract/operation";
import { type OperationName, v1 } from "@bursar/contract/v1";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addCommands } from "./commands.ts";
import { createContext } from "./context.ts";
import { createProgram, flagsOf } from "./program.ts";

const BOOK = "prices.json";

/** A command for each operation. A new one without a row does not compile. */
const COMMANDS: Record<Exclude<OperationName, keyof typeof WITHOUT>, string> = {
  getBalance: "balance",
  getQuota: "quota",
  listExpiries: "expiries",
  getForecast: "forecast",
  listPlans: "plans",
  getSubscription: "subscription",
  subscribe: "subscription start orbit --currency eur",
  previewSubscription: "subscription preview orbit",
  changeSubscription: "subscription change orbit",
  cancelSubscription: "subscription cancel",
  resumeSubscription: "subscription resume",
  listInvoices: "invoices list",
  check: "check 5",
  createHold: "hold 5",
  extendHold: "hold extend ID 5",
  settleHold: "hold settle ID 5",
  releaseHold: "hold release ID",
  createRun: "runs start 5",
  listRuns: "runs",
  getRun: "runs show ID",
  endRun: "runs end ID",
  spend: "spend 5",
  listEntries: "entries",
  getReceipt: "explain ID",
  getUsage: "usage",
  exportUsage: "usage export 2026-11 --json",
  exportAccount: "export",
  previewDeletion: "account delete --preview",
  deletePerson: "account delete --yes",
  listNotices: "notices",
  readNotice: "notices read ID",
  readAllNotices: "notices read --all",
  deleteNotice: "notices delete ID",
  deleteReadNotices: "notices delete --read",
  redeemGiftCard: "gift redeem CODE",
  redeemPromoCode: "promo redeem CODE",
  getReferrals: "referral",
  makeReferralCode: "referral",
  trackReferral: "referral use CODE",
  createOrganization: "org create Acme",
  listOrganizations: "org",
  getOrganization: "org show ID",
  changeOrganization: "org change ID --name Acme",
  listMembers: "org members ID",
  setMemberRole: "org role ID bob admin",
  setMemberCaps: "org cap ID bob --day 5",
  removeMember: "org remove ID bob",
  leaveOrganization: "org leave ID",
  transferOrganization: "org transfer ID bob",
  createInvite: "org invite ID bob@example.com",
  listInvites: "org invites ID",
  revokeInvite: "org revoke-invite ID invite_1",
  acceptInvite: "org accept token",
  requestCredits: "org request ID 5 --reason more",
  listRequests: "org requests ID",
  decideRequest: "org approve ID ask_1",
  addRepository: "org repos ID --add github.com/a/b",
  listRepositories: "org repos ID",
  removeRepository: "org repos ID --remove github.com/a/b",
  listModels: "models",
  listPacks: "buy",
  listPaymentMethods: "payments methods",
  addPaymentMethod: "payments add",
  setDefaultPaymentMethod: "payments default ID",
  createPurchase: "buy credits-1000 --yes",
  listPayments: "payments",
  getPayment: "payments show ID",
  refundUnused: "payments return ID",
  removePaymentMethod: "payments remove ID",
  getTopUpPolicy: "topup",
  putTopUpPolicy: "topup off",
  previewTopUpPolicy: "topup preview",
  listTopUpAttempts: "topup attempts",
  createAccount: "accounts create Acme",
  listAccounts: "accounts find acme",
  getAccount: "accounts show ID",
  freezeAccount: "accounts freeze ID --reason late",
  unfreezeAccount: "accounts unfreeze ID --reason paid",
  createAdjustment: "accounts adjust -5 --reason twice",
  putQuota: "quota set",
  createGrant: "grant 5",
  revokeGrant: "grant revoke ID 5 --reason back",
  createGiftCards: "gift create 5",
  listGiftBatches: "gift list",
  getGiftBatch: "gift show ID",
  voidGiftCards: "gift void ID --reason stolen",
  createPromoCode: "promo create CODE 5",
  listPromoCodes: "promo list",
  disablePromoCode: "promo disable ID",
  createKey: "keys create",
  listKeys: "keys",
  revokeKey: "keys revoke ID",
  rotateKeys: "keys rotate",
  getPriceBook: "prices",
  putPriceBook: `prices set ${BOOK}`,
  refundPayment: "payments refund ID --reason mistake",
  listEvents: "events",
  resendEvent: "events resend ID",
  listAdminActions: "admin actions",
};

/** What no command stands for, and why. */
const WITHOUT = {
  batch: "saves programs round trips; at a terminal each of its operations is a command",
} satisfies Partial<Record<OperationName, string>>;

const PACK = { id: "credits-1000", name: null, credits: "1000", prices: { eur: 200 } };

const NO_LOSS = { loses: "0", stoppedBy: [], proof: { password: false, totpCode: false } };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bursar-operations-"));
  await writeFile(join(folder, BOOK), '{"models": {}}');
});
afterAll(() => rm(folder, { recursive: true }));

test.each(Object.entries(COMMANDS))("%s is asked by: bursar %s", async (name, line) => {
  await using server = await startScriptedServer();
  // What commands look up before they ask what they are for.
  if (name === "getReferrals") server.on("PUT /v1/referrals/code", { status: 200, body: { code: "CODE" } });
  if (name === "deletePerson") server.on("GET /v1/deletion", { status: 200, body: NO_LOSS });
  if (name === "createPurchase")
    server.on("GET /v1/packs", { status: 200, body: { tiers: [PACK], packs: [], quote: null } });
  const environment = { BURSAR_URL: server.url, BURSAR_API_KEY: "key", BURSAR_ACCOUNT: "ID" };
  const words = ["--why", "because", ...line.split(" ")].map((word) =>
    word === BOOK ? join(folder, word) : word,
  );
  const program = createProgram("0.0.0");
  const machine = { environment: { ...environment, HOME: folder }, folder, repository: folder };
  const context = createContext(machine, () => flagsOf(program));
  await addCommands(program, context, words);
  // Nothing else is in the script, so what was asked is refused.
  await expect(program.parseAsync(words, { from: "user" })).rejects.toThrow(/not in the script/);
  const operation = v1[name as OperationName] as Operation;
  const path = operation.path.replace("{id}", "ID");
  const asked = server.requests.map(({ method, path: seen }) => `${method} ${seen.split("?")[0]}`);
  expect(asked).toContain(`${operation.method.toUpperCase()} ${path}`);
  expect(server.requests.map(({ headers }) => headers["x-bursar-reason"])).toContain("because");
});
