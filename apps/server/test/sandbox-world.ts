/** The app as it is in a sandbox: with its clock, its mailbox and the background, on a database of its own. */
import type { AccountId } from "@bursar/contract/ids";
import { createTestDatabase, ENGINE_MIGRATIONS } from "@bursar/database/testing";
import { createAccount } from "@bursar/engine/account/create";
import { createGateway } from "@bursar/gateway/gateway";
import { openIdentity } from "@bursar/identity/open";
import { startSandboxMail } from "@bursar/sandbox/mail";
import { startSandboxStripe } from "@bursar/sandbox/stripe";
import { createApp } from "../src/app.ts";
import { codeJobs, engineJobs, noticeMails, startBackground } from "../src/background.ts";
import { openSandboxClock } from "../src/clocks.ts";
import { openEngine } from "../src/engine.ts";
import { peopleOfAccount } from "../src/identity/recipients.ts";
import { listen } from "../src/listen.ts";
import { openSmtp } from "../src/mail/smtp.ts";
import { openRateLimit } from "../src/rest/rate-limit.ts";
import { callerOf } from "./calling.ts";
import { DATABASE_SECONDS, MASTER_KEY, PRICES } from "./running.ts";

const nothing = () => undefined;
export const silentLog = { info: nothing, warn: nothing, error: nothing };

export type SandboxWorld = Awaited<ReturnType<typeof startSandboxWorld>>;

export async function startSandboxWorld() {
  const database = await createTestDatabase();
  const clock = await openSandboxClock(database.url, silentLog);
  const masterKeys = [MASTER_KEY];
  const engine = openEngine({
    url: database.url,
    lanes: 2,
    clock,
    log: silentLog,
    masterKeys,
    databaseSeconds: DATABASE_SECONDS,
  });
  await engine.prices.put({ body: PRICES, by: "test" });
  const mail = await startSandboxMail({ now: () => new Date(clock.now() / 1000) });
  const stripe = await startSandboxStripe({ now: () => clock.now() / 1000 });
  const smtp = openSmtp({ url: mail.smtpUrl, from: "Bursar <bursar@sandbox.test>" });
  let url = "";
  const background = startBackground(
    [
      ...engineJobs(engine, smtp),
      noticeMails(engine, peopleOfAccount, () => url),
      ...codeJobs(engine, { condition: "purchase", hasVerifiedMail: () => Promise.resolve(false) }),
      { name: "sandbox-stripe", run: stripe.tick },
    ],
    silentLog,
  );
  const identity = openIdentity(engine, {
    secret: "a secret of this test alone, 0123456789",
    url: () => url,
    verifyEmail: true,
    oidc: null,
  });
  const app = createApp({
    ...engine,
    identity,
    proxyHops: 0,
    gateway: createGateway({ engine, upstreams: [] }),
    rateLimit: openRateLimit(0),
    mode: "sandbox",
    mailServer: "sandbox",
    migrations: ENGINE_MIGRATIONS,
    sandbox: { clock, background, mail },
  });
  const server = await listen(app, "127.0.0.1", [0]);
  url = server.urls[0]!;
  const keyFor = async (accountId: AccountId | null) => {
    const created = await engine.keys.create({ accountId, by: "test" });
    if (created.kind !== "created") throw new Error("no key");
    return created.key;
  };
  const accountId = "acct_world" as AccountId;
  await createAccount(engine, { id: accountId, name: "World" });
  const call = callerOf(url);
  return {
    engine,
    clock,
    mail,
    smtp,
    stripe,
    background,
    url,
    identity,
    call,
    accountId,
    adminKey: await keyFor(null),
    accountKey: await keyFor(accountId),
    close: async () => {
      await server.close(0);
      await background.stop();
      await mail.close();
      await stripe.close();
      await engine.close();
      await clock.close();
      await database.drop();
    },
  };
}
