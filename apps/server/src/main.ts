import { mkdir } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startEmbeddedPostgres } from "@bursar/database/embedded";
import { migrate } from "@bursar/database/migrate";
import { StartError } from "@bursar/database/start-error";
import type { Clock } from "@bursar/engine/clock/clock";
import { hashOf } from "@bursar/engine/key/secret";
import type { Mail } from "@bursar/engine/mail/mail";
import { createWelcomedAccount } from "@bursar/engine/quota/welcome";
import { createGateway } from "@bursar/gateway/gateway";
import { type OpenIdentity, openIdentity } from "@bursar/identity/open";
import type { OpenAccount } from "@bursar/identity/people/people";
import type { Logger } from "pino";
import { openRunner } from "./agent/open.ts";
import { type AppDeps, createApp } from "./app.ts";
import { codeJobs, engineJobs, noticeMails, startBackground } from "./background.ts";
import { openLiveClock, openSandboxClock } from "./clocks.ts";
import { type Engine, openEngine } from "./engine.ts";
import { deletions } from "./identity/deletion.ts";
import { forgetExpired } from "./identity/forget.ts";
import { peopleOfAccount } from "./identity/recipients.ts";
import { referralTerms } from "./identity/referral-terms.ts";
import { keptSecret } from "./identity/secret.ts";
import { insist, startFailure } from "./insist.ts";
import { lackingLines } from "./lacking.ts";
import { listen } from "./listen.ts";
import { openLog } from "./log.ts";
import { EVENT_HANDLERS } from "./payments/handlers.ts";
import { paymentJobs } from "./payments/jobs.ts";
import { openProvider, openSubscriptions } from "./payments/provider.ts";
import { openRateLimit } from "./rest/rate-limit.ts";
import { banner } from "./sandbox/banner.ts";
import { prepareDemo, type SandboxFile, writeSandboxFile } from "./sandbox/demo.ts";
import type { Outside } from "./sandbox/outside.ts";
import { preparePeople } from "./sandbox/people.ts";
import { SettingsError } from "./settings/error.ts";
import { readSettings, SANDBOX_SENDER, type Settings } from "./settings.ts";
import { openSockets } from "./socket/open.ts";
import { upstreamsOf } from "./upstreams.ts";
import { endSandboxKeys, LIVE_KEY_MAKER, refuseLiveDatabase, refuseSandboxPeople } from "./wrong-database.ts";

const MIGRATIONS = fileURLToPath(new URL("../../../packages/engine/migrations/", import.meta.url));
const MAIL_PATH = "/sandbox/mail";
const STRIPE_WEBHOOK_PATH = "/api/stripe/webhook";
const GOODBYE_MILLISECONDS = 2000;

/** Everything that must be stopped, in the order of its start. */
type Stop = () => Promise<void>;

/** Ends the process in order, saying why. */
type Fail = (message: string) => void;

/** Wires the parts and starts them; returns how to stop them. Nothing is decided here. */
async function start(settings: Settings, log: Logger, stops: Stop[], fail: Fail): Promise<void> {
  const isSandbox = settings.mode === "sandbox";
  if (isSandbox) await mkdir(settings.dataDir, { recursive: true, mode: 0o700 });
  // Loaded while Postgres starts.
  const outsideCode = isSandbox ? import("./sandbox/outside.ts") : null;
  const databaseUrl = settings.databaseUrl ?? (await startDatabase(settings, log, stops, fail));
  if (isSandbox && settings.databaseUrl !== null) await insist(() => refuseLiveDatabase(databaseUrl, log));
  await insist(() => migrate({ url: databaseUrl, directory: MIGRATIONS }));
  const sandboxClock = isSandbox ? await openSandboxClock(databaseUrl, log) : null;
  const clock = sandboxClock ?? (await insist(() => openLiveClock(databaseUrl, log)));
  stops.push(() => clock.close());
  const masterKeys = isSandbox ? await sandboxMasterKeys(settings) : settings.masterKeys;
  const outside = outsideCode === null ? null : await startOutside(settings, await outsideCode, clock, stops);
  const payments = await openProvider(settings, outside?.stripe ?? null, clock);
  const { lanes, redisUrl, topUpWaitSeconds } = settings;
  const paying = { payments, topUpWaitSeconds };
  const engine = openEngine({ url: databaseUrl, lanes, clock, log, masterKeys, redisUrl, ...paying });
  stops.push(() => engine.close());
  await insist(() => checkMasterKeys(engine, isSandbox));
  const upstreams = upstreamsOf(settings, outside?.model ?? null);
  const gateway = createGateway({ engine, upstreams });
  const mailServer = await openMailServer(settings, outside);
  let publicUrl = settings.publicUrl;
  const oidc = settings.oidc ?? sandboxOidc(outside, await outsideCode);
  const identity = await startIdentity(engine, { ...settings, oidc }, () => publicUrl!);
  const { referralCondition } = settings;
  const jobs = [
    ...engineJobs(engine, mailServer),
    noticeMails(engine, peopleOfAccount, identity.url),
    ...codeJobs(engine, referralTerms(identity, referralCondition)),
    forgetExpired(identity, clock),
  ];
  const subscriptions = await openSubscriptions(settings, outside?.stripe ?? null, engine, identity.url);
  jobs.push(deletions({ ...engine, identity, subscriptions }));
  if (payments !== null) jobs.push(...paymentJobs({ ...engine, payments, subscriptions }, EVENT_HANDLERS));
  if (outside !== null) jobs.push({ name: "sandbox-stripe", run: outside.stripe.tick });
  const background = startBackground(jobs, log);
  stops.push(() => background.stop());
  const { mode, proxyHops } = settings;
  const runner = openRunner({ engine, gateway, upstreams, settings });
  const sockets = openSockets({ ...engine, identity, runner });
  const app = createApp({
    ...engine,
    sockets,
    subscriptions,
    identity,
    gateway,
    rateLimit: openRateLimit(settings.rateLimitPerSecond),
    referralCondition,
    mode,
    proxyHops,
    migrations: MIGRATIONS,
    mailServer: mailKind(settings, outside),
    documents: settings,
    ...(sandboxClock === null
      ? {}
      : { sandbox: { clock: sandboxClock, background, mail: outside?.mail ?? null } }),
  });
  if (!isSandbox) {
    await insist(() => refuseSandboxPeople(identity));
    await insist(() => endSandboxKeys(engine));
  }
  const server = await listen(app, settings.host, settings.ports, sockets);
  stops.push(async () => {
    // Prompts that run ask the gateway, so it ends after them.
    const grace = settings.shutdownSeconds * 1000;
    const deadline = performance.now() + grace;
    const drained = sockets.close(grace).then(() => gateway.close(Math.max(0, deadline - performance.now())));
    // Prompts and sockets may take a goodbye each; what the gateway ends after them still says why.
    await Promise.all([drained, server.close(grace, 3 * GOODBYE_MILLISECONDS)]);
  });
  const url = server.urls[0]!;
  publicUrl ??= url;
  if (outside?.oidc) (await outsideCode)?.registerAtOidc(outside.oidc, publicUrl);
  outside?.stripe.register(`${url}${STRIPE_WEBHOOK_PATH}`);
  await insist(() =>
    outside === null
      ? prepareLive(engine, settings)
      : showSandbox(engine, identity, settings, { url, ...urlsOf(outside, url), databaseUrl }),
  );
  for (const other of server.urls.slice(1)) process.stdout.write(`also   ${other}\n`);
  const hasPrices = (await insist(() => engine.prices.versions(clock.now()))).length > 0;
  const knownUrl = isSandbox ? url : settings.publicUrl;
  for (const line of lackingLines({ payments, mailServer, upstreams, publicUrl: knownUrl, url, hasPrices }))
    process.stdout.write(`${line}\n`);
  await engine.ledger
    .check()
    .catch((error: unknown) => log.warn({ err: error }, "the ledger is slow to start"));
  process.stdout.write(`ready ${url}\n`);
  // Loads the library of sign-ins while nobody waits for it; a failure shows again at the first sign-in.
  const signIns = identity.auth().then(
    () => undefined,
    (error: unknown) => log.warn({ err: error }, "sign-ins are not ready yet"),
  );
  // Who stops at once lets it find what it is looking for, or it would report the stop as a failure.
  stops.push(() => Promise.race([signIns, delay(GOODBYE_MILLISECONDS, undefined, { ref: false })]));
}

/** Loaded in a sandbox only. */
type OutsideCode = typeof import("./sandbox/outside.ts");

async function startOutside(
  { dataDir, smtp, oidc }: Settings,
  code: OutsideCode,
  clock: Clock,
  stops: Stop[],
): Promise<Outside> {
  const now = () => new Date(Math.floor(clock.now() / 1000));
  const outside = await code.startOutside({ dataDir, hasMail: smtp === null, hasOidc: oidc === null, now });
  stops.push(() => outside.close());
  return outside;
}

async function sandboxMasterKeys({ dataDir, masterKeys }: Settings): Promise<readonly string[]> {
  return masterKeys.length > 0 ? masterKeys : [await keptSecret(dataDir, "master-key")];
}

/** Better at the start than at the first field that cannot be read. A sandbox may share its database with others. */
async function checkMasterKeys({ secrets, log }: Engine, isSandbox: boolean): Promise<void> {
  const missing = await secrets.missingMasterKeys();
  if (missing.length === 0) return;
  const keys = missing.map(({ masterKeyId, dataKeys }) => `${masterKeyId} (for ${dataKeys} accounts)`);
  const message = `BURSAR_OLD_MASTER_KEYS: lacks the master key ${keys.join(", ")}`;
  if (!isSandbox) throw new SettingsError(message);
  log.warn({}, message);
}

function urlsOf(outside: Outside, url: string): Omit<OutsideUrls, "url" | "databaseUrl"> {
  const { model, mail, oidc, stripe } = outside;
  const mailUrl = mail === null ? null : `${url}${MAIL_PATH}`;
  const stripeAccess = { stripeUrl: stripe.url, stripeKey: stripe.secretKey };
  return { modelUrl: model.url, mailUrl, oidcUrl: oidc?.url ?? null, ...stripeAccess };
}

function sandboxOidc(outside: Outside | null, code: OutsideCode | null): Settings["oidc"] {
  if (!outside?.oidc || code === null) return null;
  return { issuer: outside.oidc.url, clientId: code.OIDC_CLIENT, clientSecret: null };
}

function mailKind({ smtp }: Settings, outside: Outside | null): AppDeps["mailServer"] {
  if (smtp !== null) return "smtp";
  return outside === null ? "off" : "sandbox";
}

/** The mail server that is set, or the sandbox's, by the same way; null for none. */
async function openMailServer({ smtp }: Settings, outside: Outside | null): Promise<Mail | null> {
  const sandboxUrl = outside?.mail?.smtpUrl;
  const chosen = smtp ?? (sandboxUrl === undefined ? null : { url: sandboxUrl, from: SANDBOX_SENDER });
  if (chosen === null) return null;
  const { openSmtp } = await import("./mail/smtp.ts");
  return openSmtp(chosen);
}

/** Without its database the server says no to everything, and does not get it back by itself: it ends, for whoever runs
 *  it to start it again. */
async function startDatabase(settings: Settings, log: Logger, stops: Stop[], fail: Fail): Promise<string> {
  const onLost = (reason: string) => fail(`${reason}; start Bursar again, it recovers what was acknowledged`);
  const postgres = await startEmbeddedPostgres({ dataDir: `${settings.dataDir}/postgres`, log, onLost });
  stops.push(() => postgres.stop());
  return postgres.url;
}

/** The admin key of the environment opens the API; it is kept as a hash like every other. */
async function prepareLive(engine: Engine, settings: Settings): Promise<void> {
  const secret = settings.adminKey!;
  const known = await engine.keys.authenticate(secret);
  if (known.kind === "authenticated") return;
  if (known.kind !== "unauthenticated")
    throw new SettingsError(`BURSAR_ADMIN_KEY: has been revoked (${hashOf(secret).slice(0, 8)})`);
  await engine.keys.create({ accountId: null, secret, name: "BURSAR_ADMIN_KEY", by: LIVE_KEY_MAKER });
}

async function startIdentity(engine: Engine, settings: Settings, url: () => string): Promise<OpenIdentity> {
  const { oidc, verifyEmail, welcome, signUpLimit } = settings;
  const secret = settings.secret ?? (await keptSecret(settings.dataDir));
  const openAccount: OpenAccount = (account) => createWelcomedAccount(engine, account, welcome);
  const limits = { signUps: signUpLimit };
  return openIdentity(engine, { secret, url, oidc, verifyEmail, openAccount, limits });
}

type OutsideUrls = Pick<
  SandboxFile,
  "url" | "modelUrl" | "mailUrl" | "oidcUrl" | "stripeUrl" | "stripeKey" | "databaseUrl"
>;

async function showSandbox(
  engine: Engine,
  identity: OpenIdentity,
  settings: Settings,
  urls: OutsideUrls,
): Promise<void> {
  const [demo, users] = await Promise.all([prepareDemo(engine, settings.dataDir), preparePeople(identity)]);
  const sandbox = { ...urls, ...demo, users };
  await writeSandboxFile(settings.dataDir, sandbox);
  process.stdout.write(`${banner(sandbox, settings)}\n`);
}

/** Stops everything, the last started first, whatever fails on the way. */
async function stopAll(stops: Stop[], log: Logger): Promise<void> {
  for (const stop of stops.splice(0).toReversed()) {
    await stop().catch((error: unknown) => log.error({ err: error }, "stopping"));
  }
}

async function main(): Promise<void> {
  const settings = readSettings(process.env, process.argv.slice(2));
  const log = openLog(settings.logLevel);
  const stops: Stop[] = [];
  let isStopping = false;
  const stop = async (code: number) => {
    if (isStopping) return;
    isStopping = true;
    await stopAll(stops, log);
    process.exit(code);
  };
  const fail = (message: string) => {
    if (!isStopping) process.stderr.write(`${message}\n`);
    void stop(1);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void stop(0));
  try {
    await start(settings, log, stops, fail);
  } catch (error) {
    // What breaks because it is being stopped is no failure.
    if (isStopping) return;
    const isExplained = error instanceof SettingsError || error instanceof StartError;
    fail(isExplained ? error.message : startFailure(error));
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
