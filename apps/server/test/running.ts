/** The real app on a database of its own, behind real HTTP, with a clock that only the test moves. */
import { randomBytes } from "node:crypto";
import type { AccountId, GrantId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import { credits } from "@bursar/contract/money";
import type { PriceBookInput } from "@bursar/contract/operations/prices";
import { createTestDatabase, ENGINE_MIGRATIONS } from "@bursar/database/testing";
import { createAccount } from "@bursar/engine/account/create";
import { systemClock } from "@bursar/engine/clock/clock";
import { grant } from "@bursar/engine/grant/grant";
import type { MailMessage } from "@bursar/engine/mail/mail";
import type { Payments } from "@bursar/engine/payment/payments";
import { createGateway } from "@bursar/gateway/gateway";
import type { Upstream } from "@bursar/gateway/settings";
import { type IdentitySettings, openIdentity } from "@bursar/identity/open";
import { openBillingWorld } from "../../../packages/engine/test/billing-world.ts";
import { openRunner } from "../src/agent/open.ts";
import { createApp } from "../src/app.ts";
import { openEngine } from "../src/engine.ts";
import { listen } from "../src/listen.ts";
import { openRateLimit } from "../src/rest/rate-limit.ts";
import { openSockets, type SocketDeps } from "../src/socket/open.ts";
import { callerOf } from "./calling.ts";

const nothing = () => undefined;
const silentLog = { info: nothing, warn: nothing, error: nothing };

/** A busy machine may take seconds to open a connection: what is a no to a caller in a hurry says nothing about what a
 *  test is about. */
export const DATABASE_SECONDS = 15;

export const MASTER_KEY = randomBytes(32).toString("base64url");

export const PRICES: PriceBookInput = {
  models: {
    small: { inputPerMillion: "100", cachedInputPerMillion: "50", outputPerMillion: "500" },
    large: { inputPerMillion: "1000", outputPerMillion: "5000", maxOutputTokens: 8000 },
  },
  plans: [
    { id: "orbit", name: "Orbit", credits: "100", prices: { eur: 999 } },
    { id: "galaxy", name: "Galaxy", credits: "500", bonus: "50", prices: { eur: 3999, jpy: 6000 } },
    { id: "galaxy-year", name: "Galaxy", interval: "year", credits: "500", prices: { eur: 39_990 } },
  ],
};

export type Running = Awaited<ReturnType<typeof startRunning>>;

/** On the test cluster, or on a database that the test may cut off. */
export async function startRunning(
  databaseUrl?: string,
  rateLimit = 0,
  identitySettings: Partial<IdentitySettings> = {},
  models: {
    readonly upstreams?: readonly Upstream[];
    readonly chatSeconds?: number;
    readonly watchSeconds?: number;
    readonly ports?: readonly number[];
    readonly payments?: Payments;
    readonly masterKeys?: readonly string[];
    /** Gives the database up as soon as a real server does. */
    readonly isHurried?: boolean;
    /** Its clock stands at the machine's time: for real processes beside it, whatever the date is. */
    readonly startsNow?: boolean;
  } = {},
  socketParts: Partial<Pick<SocketDeps, "gate" | "runner" | "settings">> = {},
) {
  const database = databaseUrl === undefined ? await createTestDatabase() : null;
  const start = models.startsNow === true ? systemClock.now() : (1_790_000_000_000_000 as Instant);
  const clock = { time: start, now: () => clock.time };
  const engineUrl = databaseUrl ?? database!.url;
  const opened = openEngine({
    url: engineUrl,
    lanes: 2,
    clock,
    log: silentLog,
    payments: models.payments ?? null,
    masterKeys: models.masterKeys ?? [MASTER_KEY],
    ...(models.isHurried === true ? {} : { databaseSeconds: DATABASE_SECONDS }),
  });
  const engine = { ...opened, gate: { ...opened.gate, ...socketParts.gate } };
  await engine.prices.put({ body: PRICES, by: "test" });
  const gateway = createGateway({ engine, upstreams: models.upstreams ?? [] });
  let url = "";
  const mails: MailMessage[] = [];
  const mail = {
    send: (message: MailMessage) => {
      mails.push(message);
      return Promise.resolve();
    },
  };
  const identity = openIdentity(
    { ...engine, mail },
    {
      secret: "a secret of this test alone, 0123456789",
      url: () => url,
      verifyEmail: false,
      oidc: null,
      ...identitySettings,
    },
  );
  const billing = openBillingWorld(clock);
  const limits = { rateLimit: openRateLimit(rateLimit), proxyHops: 0 };
  const deps = {
    ...engine,
    ...limits,
    subscriptions: billing.provider,
    identity,
    gateway,
    ...(models.chatSeconds === undefined ? {} : { chatSeconds: models.chatSeconds }),
    ...(models.watchSeconds === undefined ? {} : { watchSeconds: models.watchSeconds }),
    mode: "sandbox" as const,
    mailServer: "off" as const,
  };
  const upstreams = models.upstreams ?? [];
  const settings = { agentModel: "small", webSearchUrl: null };
  const runner = openRunner({ engine, gateway, upstreams, settings });
  const sockets = openSockets({ ...engine, identity, runner, ...socketParts, gate: engine.gate });
  const server = await listen(
    createApp({ ...deps, migrations: ENGINE_MIGRATIONS }),
    "127.0.0.1",
    models.ports ?? [0],
    sockets,
  );
  url = server.urls[0]!;
  const admin = await engine.keys.create({ accountId: null, by: "test" });
  if (admin.kind !== "created") throw new Error("no admin key");
  let accounts = 0;

  const call = callerOf(url);

  return {
    engine,
    identity,
    gateway,
    /** Who charges for subscriptions. */
    billing,
    /** What was sent, the latest last. */
    mails,
    clock,
    url,
    /** One for each port. */
    urls: server.urls,
    call,
    adminKey: admin.key,
    sockets,
    databaseUrl: databaseUrl ?? database!.url,
    /** An account with so many credits, and calls by its own key. */
    account: async (amount = "100", terms: { capAmount?: bigint; capWindow?: "total" | "day" } = {}) => {
      const id = `acct_${++accounts}` as AccountId;
      await createAccount(engine, { id, name: id });
      if (amount !== "0") {
        const facts = { accountId: id, source: "purchase", by: "test" } as const;
        await grant(engine, { ...facts, id: `grant_${accounts}` as GrantId, amount: credits(amount) });
      }
      const key = await engine.keys.create({ accountId: id, by: "test", ...terms });
      if (key.kind !== "created") throw new Error("no key");
      const get = (path: string) => call(key.key, "GET", path);
      const post = (path: string, body?: unknown, headers?: Record<string, string>) =>
        call(key.key, "POST", path, body, headers);
      const entryCount = async () => (await get("/v1/entries?limit=1")).body.entries[0]?.seq ?? 0;
      return { id, key: key.key, keyId: key.id, get, post, entryCount };
    },
    close: async () => {
      await Promise.all([sockets.close(0), server.close(0)]);
      await engine.close();
      await database?.drop();
    },
  };
}
