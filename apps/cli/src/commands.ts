import type { Command } from "commander";
import type { Context } from "./context.ts";
import { MORE } from "./program.ts";

/** Adds arguments, options, examples and the action to a command. */
export type Define = (command: Command, context: Context) => void;

interface Entry {
  readonly group: string;
  readonly summary: string;
  readonly load: () => Promise<Define>;
}

const CREDITS = "Credits:";
const MONEY = "Money:";
const HISTORY = "History and proof:";
const MODELS = "Models:";
const ADMINISTRATION = "Administration:";
const SANDBOX = "Sandbox:";

/** Every command, in the order of the help. Code is loaded when its command is called, so that none slows another. */
const COMMANDS = {
  balance: {
    group: CREDITS,
    summary: "show what the account has, and what expires next",
    load: async () => (await import("./commands/balance.ts")).balance,
  },
  quota: {
    group: CREDITS,
    summary: "show what arrives each month, or set it",
    load: async () => (await import("./commands/quota.ts")).quota,
  },
  expiries: {
    group: CREDITS,
    summary: "show what expires when",
    load: async () => (await import("./commands/expiries.ts")).expiries,
  },
  forecast: {
    group: CREDITS,
    summary: "estimate how long the credits last",
    load: async () => (await import("./commands/forecast.ts")).forecast,
  },
  watch: {
    group: CREDITS,
    summary: "watch balance, holds and spending as they change",
    load: async () => (await import("./commands/watch.ts")).watch,
  },
  check: {
    group: CREDITS,
    summary: "ask whether some work would be allowed now; reserves nothing",
    load: async () => (await import("./commands/check.ts")).check,
  },
  spend: {
    group: CREDITS,
    summary: "charge work with a known price, once",
    load: async () => (await import("./commands/spend.ts")).spend,
  },
  hold: {
    group: CREDITS,
    summary: "reserve credits before work, then settle or release them",
    load: async () => (await import("./commands/hold.ts")).hold,
  },
  plans: {
    group: CREDITS,
    summary: "list the plans: credits each month",
    load: async () => (await import("./commands/plans.ts")).plans,
  },
  subscription: {
    group: CREDITS,
    summary: "begin, change, end or resume a plan",
    load: async () => (await import("./commands/subscription.ts")).subscription,
  },
  invoices: {
    group: CREDITS,
    summary: "list a plan's invoices, and save them as PDF",
    load: async () => (await import("./commands/invoices.ts")).invoices,
  },
  runs: {
    group: CREDITS,
    summary: "budgets that a tree of agents cannot exceed",
    load: async () => (await import("./commands/runs.ts")).runs,
  },
  gift: {
    group: CREDITS,
    summary: "redeem a gift card; make, list and void them",
    load: async () => (await import("./commands/gift.ts")).gift,
  },
  promo: {
    group: CREDITS,
    summary: "redeem a promo code; make, list and disable them",
    load: async () => (await import("./commands/promo.ts")).promo,
  },
  referral: {
    group: CREDITS,
    summary: "bring others: both get credits",
    load: async () => (await import("./commands/referral.ts")).referral,
  },
  buy: {
    group: MONEY,
    summary: "show what credits cost, and buy some",
    load: async () => (await import("./commands/buy.ts")).buy,
  },
  topup: {
    group: MONEY,
    summary: "let credits be bought by themselves, within caps; see what that would have cost",
    load: async () => (await import("./commands/topup.ts")).topup,
  },
  payments: {
    group: MONEY,
    summary: "list payments, pay back, and look after the saved payment methods",
    load: async () => (await import("./commands/payments.ts")).payments,
  },
  chat: {
    group: MODELS,
    summary: "talk to a model, and see what it costs",
    load: async () => (await import("./commands/chat.ts")).chat,
  },
  agent: {
    group: MODELS,
    summary: "let a coding agent work on this folder, and see what it costs",
    load: async () => (await import("./commands/agent.ts")).agent,
  },
  undo: {
    group: MODELS,
    summary: "take back what the agent's last run in this folder changed",
    load: async () => (await import("./commands/undo.ts")).undo,
  },
  models: {
    group: MODELS,
    summary: "list the models and their prices",
    load: async () => (await import("./commands/models.ts")).models,
  },
  usage: {
    group: HISTORY,
    summary: "show what AI work used and cost, by day, month, model, feature, key or member",
    load: async () => (await import("./commands/usage.ts")).usage,
  },
  entries: {
    group: HISTORY,
    summary: "list the ledger's entries, newest first",
    load: async () => (await import("./commands/entries.ts")).entries,
  },
  notices: {
    group: HISTORY,
    summary: "read what the account has been told",
    load: async () => (await import("./commands/notices.ts")).notices,
  },
  explain: {
    group: HISTORY,
    summary: "tell why a request was allowed or denied, and what it cost",
    load: async () => (await import("./commands/explain.ts")).explain,
  },
  export: {
    group: HISTORY,
    summary: "save everything that is kept about an account and its person",
    load: async () => (await import("./commands/export.ts")).exportEverything,
  },
  verify: {
    group: HISTORY,
    summary: "let the ledger prove that nothing is wrong or missing",
    load: async () => (await import("./commands/verify.ts")).verify,
  },
  grant: {
    group: ADMINISTRATION,
    summary: "give credits to an account, or take them back",
    load: async () => (await import("./commands/grant.ts")).grant,
  },
  accounts: {
    group: ADMINISTRATION,
    summary: "find, show, create, freeze and correct accounts",
    load: async () => (await import("./commands/accounts.ts")).accounts,
  },
  admin: {
    group: ADMINISTRATION,
    summary: "tell what administrators have done, and why",
    load: async () => (await import("./commands/admin.ts")).admin,
  },
  org: {
    group: ADMINISTRATION,
    summary: "organizations: members, invites, caps, repositories, requests",
    load: async () => (await import("./commands/org.ts")).org,
  },
  keys: {
    group: ADMINISTRATION,
    summary: "create, list and revoke API keys",
    load: async () => (await import("./commands/keys.ts")).keys,
  },
  prices: {
    group: ADMINISTRATION,
    summary: "show the price book, or put a new version of it",
    load: async () => (await import("./commands/prices.ts")).prices,
  },
  events: {
    group: ADMINISTRATION,
    summary: "list the payment provider's events, and process one again",
    load: async () => (await import("./commands/events.ts")).events,
  },
  trigger: {
    group: SANDBOX,
    summary: "make a payment event happen, at the sandbox's Stripe or a test account",
    load: async () => (await import("./commands/trigger.ts")).trigger,
  },
  listen: {
    group: SANDBOX,
    summary: "send payment events on to a webhook endpoint of yours",
    load: async () => (await import("./commands/listen.ts")).listen,
  },
  mail: {
    group: SANDBOX,
    summary: "read the mail that Bursar has sent",
    load: async () => (await import("./commands/mail.ts")).mail,
  },
  clock: {
    group: SANDBOX,
    summary: "show the sandbox's time, move it ahead, stop it",
    load: async () => (await import("./commands/clock.ts")).clock,
  },
  "credit-check": {
    group: SANDBOX,
    summary: "test the credit-check services, from health to a billed chat",
    load: async () => (await import("./commands/credit-check.ts")).creditCheck,
  },
  login: {
    group: MORE,
    summary: "sign in as a person: approve on a page, in any browser",
    load: async () => (await import("./commands/login.ts")).login,
  },
  logout: {
    group: MORE,
    summary: "end the sign-in",
    load: async () => (await import("./commands/logout.ts")).logout,
  },
  whoami: {
    group: MORE,
    summary: "show who is signed in",
    load: async () => (await import("./commands/whoami.ts")).whoami,
  },
  account: {
    group: MORE,
    summary: "delete yourself, after a look at what is lost",
    load: async () => (await import("./commands/account.ts")).account,
  },
  serve: {
    group: MORE,
    summary: "run the server in the foreground",
    load: async () => (await import("./commands/serve.ts")).serve,
  },
} as const satisfies Record<string, Entry>;

type CommandName = keyof typeof COMMANDS;

/** Loads only the commands whose names occur among the words; the others are known by name and summary alone. */
export async function addCommands(
  program: Command,
  context: Context,
  words: readonly string[],
): Promise<void> {
  for (const name of commandNames()) {
    const { summary, group, load } = COMMANDS[name];
    const command = program.command(name).description(summary).helpGroup(group).helpCommand(false);
    if (!words.includes(name)) continue;
    const define = await load();
    define(command, context);
  }
}

export function commandNames(): CommandName[] {
  return Object.keys(COMMANDS).filter((name): name is CommandName => name in COMMANDS);
}
