/** The app with a stateful sandbox Stripe, on a database of its own, with a clock that only the test moves. Nothing
 *  happens by itself: `settle` runs every job until none has anything to do. */
import type { AccountId, GrantId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import { credits } from "@bursar/contract/money";
import type { PriceBookInput } from "@bursar/contract/operations/prices";
import { connectionOptions } from "@bursar/database/connection";
import { createTestDatabase, ENGINE_MIGRATIONS } from "@bursar/database/testing";
import { createAccount } from "@bursar/engine/account/create";
import { grant } from "@bursar/engine/grant/grant";
import { verifyLedger } from "@bursar/engine/ledger/verify";
import { createGateway } from "@bursar/gateway/gateway";
import { openIdentity } from "@bursar/identity/open";
import { startSandboxModel } from "@bursar/sandbox/model";
import { type SandboxStripe, startSandboxStripe } from "@bursar/sandbox/stripe";
import { stripeOf } from "@bursar/stripe/client";
import { openStripe } from "@bursar/stripe/open";
import pg from "pg";
import { openRunner } from "../src/agent/open.ts";
import { createApp } from "../src/app.ts";
import { engineJobs } from "../src/background.ts";
import { type EngineRequest, openEngine } from "../src/engine.ts";
import { deletions } from "../src/identity/deletion.ts";
import { listen } from "../src/listen.ts";
import { EVENT_HANDLERS } from "../src/payments/handlers.ts";
import { paymentJobs } from "../src/payments/jobs.ts";
import { openSubscriptions } from "../src/payments/provider.ts";
import { openRateLimit } from "../src/rest/rate-limit.ts";
import { SANDBOX_SALES } from "../src/sandbox/sales.ts";
import { openSockets } from "../src/socket/open.ts";
import { callerOf } from "./calling.ts";
import { DATABASE_SECONDS, MASTER_KEY, PRICES } from "./running.ts";

const nothing = () => undefined;
const silentLog = { info: nothing, warn: nothing, error: nothing };

/** A thousand output tokens of the sandbox's model cost 600 credits here. */
const DEAR_MODEL = { inputPerMillion: "1000", outputPerMillion: "600000", maxOutputTokens: 4000 };

const CODING_MODEL = { inputPerMillion: "100", outputPerMillion: "500" };

export const SELLING: PriceBookInput = {
  ...PRICES,
  models: { ...PRICES.models, "sandbox-small": DEAR_MODEL, "sandbox-coder": CODING_MODEL },
  credits: SANDBOX_SALES,
};

/** A policy that most tests use: from below 500 up to 2,000, EUR 0.002 a credit. */
export const POLICY = {
  enabled: true,
  mode: "target",
  threshold: "500",
  target: "2000",
  currency: "eur",
  dailyCap: 10_000,
  monthlyCap: 50_000,
  reason: "test",
} as const;

/** A request that runs dry waits for the purchase, and is not about how long that takes. */
const TOP_UP_SECONDS = 60;

export type PayingWorld = Awaited<ReturnType<typeof startPayingWorld>>;

export async function startPayingWorld(
  options: Pick<EngineRequest, "topUpWaitSeconds"> & {
    readonly timeoutMilliseconds?: number;
    /** False: Stripe's webhooks go to whomever the test registers. */
    readonly hearsWebhooks?: boolean;
    /** Another world, whose Stripe and time this one has, on an empty database. */
    readonly beside?: {
      readonly stripe: SandboxStripe;
      readonly clock: { time: Instant; now: () => Instant };
    };
  } = {},
) {
  const { timeoutMilliseconds = 2000, hearsWebhooks = true, beside, ...settings } = options;
  const database = await createTestDatabase();
  const ownClock = { time: 1_790_000_000_000_000 as Instant, now: () => ownClock.time };
  const clock = beside?.clock ?? ownClock;
  const stripe = beside?.stripe ?? (await startSandboxStripe({ now: () => Math.floor(clock.time / 1000) }));
  const model = await startSandboxModel();
  const parts = { url: database.url, clock, modelUrl: model.url, timeoutMilliseconds, settings };
  const serverOn = (world: SandboxStripe) => startServer(world, parts);
  const first = await serverOn(stripe);
  if (hearsWebhooks) stripe.register(`${first.url}/api/stripe/webhook`);
  const { secretKey, webhookSecret } = stripe;
  const sdk = stripeOf({ secretKey, webhookSecret, url: stripe.url });
  const admin = await first.engine.keys.create({ accountId: null, by: "test" });
  if (admin.kind !== "created") throw new Error("no admin key");
  await first.engine.prices.put({ body: SELLING, by: "test" });
  const others: Awaited<ReturnType<typeof startServer>>[] = [];
  let accounts = 0;

  const call = callerOf(first.url);
  const intentsOf = async (accountId: string) => {
    const { rows } = await first.engine.pool.query<{ customer: string | null }>(
      "select customer_id as customer from payment_customers where account_id = $1",
      [accountId],
    );
    const customer = rows[0]?.customer ?? null;
    if (customer === null) return [];
    return (await sdk.paymentIntents.list({ customer, limit: 100, expand: ["data.latest_charge"] })).data;
  };
  const settle = async () => {
    const jobs = [first, ...others].flatMap((server) => server.jobs);
    for (let round = 0; round < 1000; round++) {
      let done = await stripe.tick();
      for (const job of jobs) done += await job.run();
      if (done > 0 || (await isUnderWay(first.engine.pool))) continue;
      return;
    }
    throw new Error("the jobs never end");
  };
  /** Moves the clock, in seconds, and lets everything that became due happen. */
  const advance = async (seconds: number) => {
    clock.time = (clock.time + seconds * 1_000_000) as Instant;
    await settle();
  };
  return {
    ...first,
    stripe,
    /** The official SDK at the sandbox's Stripe, as an operator of it. */
    sdk,
    intentsOf,
    clock,
    call,
    settle,
    databaseUrl: database.url,
    adminKey: admin.key,
    admin: (method: string, path: string, body?: unknown) => call(admin.key, method, path, body),
    /** Another process, as far as the database and Stripe can tell. */
    another: async () => {
      const server = await serverOn(stripe);
      others.push(server);
      return server;
    },
    advance,
    /** Lets minutes pass in steps, so that what is tried again and again is. */
    pass: async (minutes: number, step: number) => {
      for (let passed = 0; passed < minutes; passed += step) await advance(step * 60);
    },
    /** An account with so many credits and a saved card; calls by its own key. */
    account: async (amount = "0", card: string | null = "pm_card_visa") => {
      const id = `acct_${++accounts}` as AccountId;
      await createAccount(first.engine, { id, name: id });
      if (amount !== "0") {
        const facts = { accountId: id, source: "promo", expiresAt: null, by: "test" } as const;
        const given = { ...facts, id: `grant_${accounts}` as GrantId, amount: credits(amount) };
        await grant(first.engine, given);
      }
      const key = await first.engine.keys.create({ accountId: id, by: "test" });
      if (key.kind !== "created") throw new Error("no key");
      const own = (method: string, path: string, body?: unknown) => call(key.key, method, path, body);
      const saved = card === null ? null : await own("POST", "/v1/payment-methods", { paymentMethod: card });
      return {
        id,
        key: key.key,
        methodId: (saved?.body.paymentMethod?.id ?? null) as string,
        get: (path: string) => own("GET", path),
        post: (path: string, body?: unknown) => own("POST", path, body),
        call: own,
        available: async () => (await own("GET", "/v1/balance")).body.available as string,
        balance: async () => {
          const { available, held, owed } = (await own("GET", "/v1/balance")).body;
          return [available, held, owed] as [string, string, string];
        },
        attempts: async () =>
          (await own("GET", "/v1/topup-attempts")).body.attempts as { [name: string]: unknown }[],
        /** All that Stripe was ever asked to charge. */
        intents: () => intentsOf(id),
        notices: async () =>
          ((await own("GET", "/v1/notices")).body.notices as { kind: string; id: string }[]).map(
            ({ kind }) => kind,
          ),
        policy: (fields: Record<string, unknown> = {}) =>
          call(admin.key, "PUT", "/v1/topup-policy", { ...POLICY, accountId: id, ...fields }),
      };
    },
    /** Throws where an invariant of the ledger does not hold. */
    verify: async () => {
      const report = await verifyLedger(
        () => new pg.Client(connectionOptions({ url: database.url, applicationName: "test" })),
      );
      if (report.problems.length > 0) throw new Error(JSON.stringify(report.problems));
    },
    close: async () => {
      for (const server of [first, ...others]) await server.close();
      if (beside === undefined) await stripe.close();
      await model.close();
      await database.drop();
    },
  };
}

interface ServerParts {
  readonly url: string;
  readonly clock: { now: () => Instant };
  readonly modelUrl: string;
  readonly timeoutMilliseconds: number;
  readonly settings: Pick<EngineRequest, "topUpWaitSeconds">;
}

async function startServer(stripe: SandboxStripe, parts: ServerParts) {
  const { url, clock, modelUrl, timeoutMilliseconds, settings } = parts;
  const { secretKey, webhookSecret } = stripe;
  const now = () => Math.floor(clock.now() / 1000);
  const payments = openStripe({ secretKey, webhookSecret, url: stripe.url, timeoutMilliseconds, now });
  const engine = openEngine({
    url,
    lanes: 2,
    clock,
    log: silentLog,
    payments,
    masterKeys: [MASTER_KEY],
    databaseSeconds: DATABASE_SECONDS,
    topUpWaitSeconds: TOP_UP_SECONDS,
    ...settings,
  });
  let publicUrl = "";
  const identity = openIdentity(engine, {
    secret: "a secret of this test alone, 0123456789",
    url: () => publicUrl,
    verifyEmail: false,
    oidc: null,
  });
  const upstreams = [{ name: "sandbox", url: modelUrl, models: ["sandbox-*"] }];
  const gateway = createGateway({ engine, upstreams });
  const paying = { ...engine, payments };
  const provider = { secretKey, webhookSecret, url: stripe.url, timeoutMilliseconds, now };
  const subscriptions = await openSubscriptions({ stripe: provider }, null, paying, () => publicUrl);
  const app = createApp({
    ...engine,
    subscriptions,
    identity,
    proxyHops: 0,
    gateway,
    rateLimit: openRateLimit(0),
    mode: "sandbox",
    mailServer: "off",
    migrations: ENGINE_MIGRATIONS,
    documents: { seller: { name: "Test seller", lines: ["1 Some Street"] }, documentFont: null },
  });
  const agent = { agentModel: "sandbox-coder", webSearchUrl: null };
  const runner = openRunner({ engine, gateway, upstreams, settings: agent });
  const sockets = openSockets({ ...engine, identity, runner });
  const server = await listen(app, "127.0.0.1", [0], sockets);
  publicUrl = server.urls[0]!;
  return {
    engine,
    identity,
    paying,
    url: publicUrl,
    subscriptions,
    jobs: [
      ...engineJobs(engine, null),
      deletions({ ...paying, identity, subscriptions }),
      ...paymentJobs({ ...paying, subscriptions }, EVENT_HANDLERS),
    ],
    close: async () => {
      await Promise.all([sockets.close(0), server.close(0)]);
      await engine.close();
    },
  };
}

/** Whether an event is being processed because its webhook has just come. */
async function isUnderWay(pool: pg.Pool): Promise<boolean> {
  const { rows } = await pool.query<{ n: bigint }>(
    "select count(*) as n from payment_events where state = 'waiting' and leased_until > clock_timestamp()",
  );
  return rows[0]!.n > 0n;
}
