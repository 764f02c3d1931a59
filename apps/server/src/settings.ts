import { resolve } from "node:path";
import { credits } from "@bursar/contract/money";
import { amountOrZero } from "@bursar/contract/shapes";
import type { Party } from "@bursar/documents/party";
import type { Welcome } from "@bursar/engine/quota/welcome";
import { MASTER_KEY_RULE, parseMasterKey } from "@bursar/engine/secret/master-keys";
import { EXTRA_FIELDS } from "@bursar/gateway/ask/extras";
import { z } from "zod";
import { type AgentSettings, agentFrom, agentVariables } from "./settings/agent.ts";
import { checkSeller, documentVariables, sellerFrom } from "./settings/documents.ts";
import { SettingsError } from "./settings/error.ts";
import { port, portsFrom, readFlags, withoutEmpty } from "./settings/flags.ts";
import { refuseMisspelt } from "./settings/misspelt.ts";
import { modeFrom } from "./settings/mode.ts";
import { paymentVariables, type StripeAccess, stripeFrom } from "./settings/payments.ts";
import { refuseUnsafe } from "./settings/unsafe.ts";
import { httpOrigin, httpUrl } from "./settings/url.ts";

/** Everything that is chosen from outside, checked at start: a wrong setting is named, with what would be right. */
export interface Settings extends AgentSettings {
  readonly mode: "sandbox" | "live";
  readonly host: string;
  /** One, or several with --listen. 0 takes any free port. */
  readonly ports: readonly number[];
  readonly dataDir: string;
  /** null: the embedded Postgres. */
  readonly databaseUrl: string | null;
  readonly upstreams: readonly UpstreamSettings[];
  /** In live mode, the admin key to begin with. */
  readonly adminKey: string | null;
  /** What everything secret about people is derived from; null in the sandbox, which keeps one of its own. */
  readonly secret: string | null;
  /** What encrypted fields are protected with, the newest first; none in a sandbox that keeps one of its own. */
  readonly masterKeys: readonly string[];
  /** The address people and services know this server by; null: the first one it listens on. */
  readonly publicUrl: string | null;
  readonly oidc: OidcSettings | null;
  readonly verifyEmail: boolean;
  readonly proxyHops: number;
  /** Sign-ups from one address within an hour; 0: any number. */
  readonly signUpLimit: number;
  /** null: no mail server; the sandbox then has its mailbox, live mode sends no mail. */
  readonly smtp: { readonly url: string; readonly from: string } | null;
  /** Carries pushes between processes instead of Postgres; null: Postgres does. */
  readonly redisUrl: string | null;
  /** Who sells the credits, as it stands on receipts; null: live mode without a name, which writes none. */
  readonly seller: Party | null;
  /** A font file for documents instead of the one that is brought along. */
  readonly documentFont: string | null;
  /** null: no payment provider; the sandbox then has its own, live mode sells nothing. */
  readonly stripe: StripeAccess | null;
  /** How long a request waits for credits that are being bought. */
  readonly topUpWaitSeconds: number;
  /** How long requests and prompts that run may go on when the server is told to end. */
  readonly shutdownSeconds: number;
  readonly logLevel: string;
  readonly rateLimitPerSecond: number;
  readonly lanes: number;
  /** What newcomers are given, in micro-credits. */
  readonly welcome: Welcome;
  /** What earns the reward of a referral. */
  readonly referralCondition: "purchase" | "verified_mail";
}

export interface UpstreamSettings {
  readonly name: string;
  readonly url: string;
  readonly apiKey?: string | undefined;
  readonly models: readonly string[];
  /** Fields that callers may send although they can cost more than the price book says. */
  readonly allow?: readonly string[] | undefined;
}

export interface OidcSettings {
  readonly issuer: string;
  readonly clientId: string;
  /** null for a public client, which PKCE alone protects. */
  readonly clientSecret: string | null;
}

const upstreams = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue({ code: "custom", message: 'must be JSON: [{"name", "url", "apiKey", "models"}]' });
      return z.NEVER;
    }
  })
  .pipe(
    z.array(
      z.strictObject({
        name: z.string().min(1),
        url: httpUrl,
        apiKey: z.string().min(1).optional(),
        models: z.array(z.string().min(1)).min(1),
        allow: z.array(z.enum(EXTRA_FIELDS)).optional(),
      }),
    ),
  );

/** The most that an account is given for nothing a month. */
const MOST_MONTHLY = credits("2000");

const creditsSetting = amountOrZero.refine((amount) => amount <= MOST_MONTHLY, "must be at most 2000");

const masterKey = z
  .string()
  .refine((text) => parseMasterKey(text) !== null, { error: `must be ${MASTER_KEY_RULE}` });

const environment = z.object({
  NODE_ENV: z.string().optional(),
  HOST: z.string().min(1).optional(),
  PORT: port.optional(),
  BURSAR_DATA_DIR: z.string().min(1).default(".bursar"),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/, error: "must be a postgresql:// URL" }).optional(),
  BURSAR_UPSTREAMS: upstreams.optional(),
  LLM_API_URL: httpUrl.optional(),
  LLM_API_KEY: z.string().min(1).optional(),
  LLM_MODELS: z.string().min(1).default("*"),
  ...agentVariables,
  BURSAR_ADMIN_KEY: z.string().min(1).optional(),
  BURSAR_SECRET: z.string().min(1).optional(),
  BURSAR_MASTER_KEY: masterKey.optional(),
  BURSAR_OLD_MASTER_KEYS: z
    .string()
    .default("")
    .transform((text) => text.split(",").filter((key) => key !== ""))
    .refine((keys) => keys.every((key) => parseMasterKey(key) !== null), {
      error: `must be former master keys with commas between them, each ${MASTER_KEY_RULE}`,
    }),
  BURSAR_URL: httpOrigin.optional(),
  BURSAR_VERIFY_EMAIL: z.enum(["true", "false"], { error: "must be true or false" }).optional(),
  BURSAR_PROXY_HOPS: z.coerce
    .number({ error: "must be a number of proxies from 0 to 16" })
    .int()
    .min(0)
    .max(16)
    .default(0),
  BURSAR_SIGN_UP_LIMIT: z.coerce
    .number({ error: "must be a number of sign-ups an hour and address, 0 for any" })
    .int()
    .min(0)
    .max(1_000_000)
    .optional(),
  OAUTH_SERVER_URL: z.url({ protocol: /^https?$/, error: "must be an OIDC issuer's URL" }).optional(),
  OAUTH_CLIENT_ID: z.string().min(1).optional(),
  VITE_APP_ID: z.string().min(1).optional(),
  OAUTH_CLIENT_SECRET: z.string().min(1).optional(),
  BURSAR_RATE_LIMIT: z.coerce
    .number({ error: "must be a whole number of requests a second, 0 for any" })
    .int()
    .min(0)
    .default(0),
  BURSAR_REFERRAL_CONDITION: z
    .enum(["purchase", "verified_mail"], { error: "must be purchase or verified_mail" })
    .default("purchase"),
  BURSAR_LANES: z.coerce
    .number({ error: "must be a whole number from 1 to 16" })
    .int()
    .min(1)
    .max(16)
    .default(2),
  SMTP_URL: z
    .url({ protocol: /^smtps?$/, error: "must be smtp://user:password@host:587 or smtps://…" })
    .optional(),
  MAIL_FROM: z
    .string()
    .regex(
      /^[^<>@\p{Cc}]*<[^\s<>@,;]+@[^\s<>@,;]+>$|^[^\s<>@,;]+@[^\s<>@,;]+$/u,
      "must be an address, such as bursar@example.com or Bursar <bursar@example.com>",
    )
    .optional(),
  BURSAR_STARTER_CREDITS: creditsSetting.default(credits("50")),
  BURSAR_MONTHLY_CREDITS: creditsSetting.default(credits("500")),
  REDIS_URL: z
    .url({ protocol: /^rediss?$/, error: "must be redis://user:password@host:6379 or rediss://…" })
    .optional(),
  ...documentVariables,
  ...paymentVariables,
  BURSAR_SHUTDOWN_SECONDS: z.coerce
    .number({ error: "must be a number of seconds from 0 to 600" })
    .min(0)
    .max(600)
    .default(10),
  LOG_LEVEL: z
    .enum(["trace", "debug", "info", "warn", "error", "silent"], {
      error: "must be trace, debug, info, warn, error or silent",
    })
    .default("warn"),
});

type Environment = z.output<typeof environment>;

/** Reads the environment and the arguments; arguments win. */
export function readSettings(env: NodeJS.ProcessEnv, args: readonly string[]): Settings {
  const parsed = environment.superRefine(checkSeller).safeParse(withoutEmpty(env));
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new SettingsError(`${issue.path.join(".")}: ${issue.message}`);
  }
  refuseMisspelt(Object.keys(env), Object.keys(environment.shape));
  const flags = readFlags(args);
  const { data } = parsed;
  const mode = modeFrom(data.NODE_ENV);
  const settings: Settings = {
    mode,
    host: flags.host ?? data.HOST ?? (mode === "live" ? "0.0.0.0" : "127.0.0.1"),
    ports: portsFrom(flags, data),
    dataDir: resolve(flags["data-dir"] ?? data.BURSAR_DATA_DIR),
    databaseUrl: data.DATABASE_URL ?? null,
    upstreams: upstreamsFrom(data),
    ...agentFrom(data, mode === "sandbox"),
    adminKey: data.BURSAR_ADMIN_KEY ?? null,
    secret: data.BURSAR_SECRET ?? null,
    masterKeys: masterKeysFrom(data),
    publicUrl: data.BURSAR_URL ?? null,
    oidc: oidcFrom(data),
    verifyEmail:
      data.BURSAR_VERIFY_EMAIL === undefined ? mode === "live" : data.BURSAR_VERIFY_EMAIL === "true",
    proxyHops: data.BURSAR_PROXY_HOPS,
    signUpLimit: data.BURSAR_SIGN_UP_LIMIT ?? SIGN_UPS[mode],
    smtp: smtpFrom(data, mode),
    redisUrl: data.REDIS_URL ?? null,
    seller: sellerFrom(data, mode),
    documentFont: data.BURSAR_DOCUMENT_FONT ?? null,
    stripe: stripeFrom(data, mode),
    topUpWaitSeconds: data.BURSAR_TOPUP_WAIT_SECONDS,
    shutdownSeconds: data.BURSAR_SHUTDOWN_SECONDS,
    logLevel: data.LOG_LEVEL,
    rateLimitPerSecond: data.BURSAR_RATE_LIMIT,
    lanes: data.BURSAR_LANES,
    welcome: { starter: data.BURSAR_STARTER_CREDITS, monthly: data.BURSAR_MONTHLY_CREDITS },
    referralCondition: data.BURSAR_REFERRAL_CONDITION,
  };
  if (mode === "live") refuseUnsafe(settings);
  return settings;
}

/** An hour and address. In the sandbox, whoever tries things and tests makes many people. */
const SIGN_UPS: Record<Settings["mode"], number> = { live: 20, sandbox: 200 };

/** Whom the sandbox's mail is from. */
export const SANDBOX_SENDER = "Bursar sandbox <bursar@sandbox.test>";

function smtpFrom(data: Environment, mode: Settings["mode"]): Settings["smtp"] {
  if (data.SMTP_URL === undefined) return null;
  const from = data.MAIL_FROM ?? (mode === "sandbox" ? SANDBOX_SENDER : undefined);
  if (from === undefined)
    throw new SettingsError("MAIL_FROM: is required with SMTP_URL, such as Bursar <bursar@example.com>");
  return { url: data.SMTP_URL, from };
}

function masterKeysFrom(data: Environment): readonly string[] {
  const { BURSAR_MASTER_KEY: newest, BURSAR_OLD_MASTER_KEYS: older } = data;
  if (newest !== undefined) return [newest, ...older.filter((key) => key !== newest)];
  if (older.length === 0) return [];
  throw new SettingsError("BURSAR_MASTER_KEY: is required with BURSAR_OLD_MASTER_KEYS; it is the newest");
}

function upstreamsFrom(data: Environment): readonly UpstreamSettings[] {
  if (data.BURSAR_UPSTREAMS !== undefined) return data.BURSAR_UPSTREAMS;
  if (data.LLM_API_URL === undefined) return [];
  const models = data.LLM_MODELS.split(",").map((model) => model.trim());
  return [{ name: "llm", url: data.LLM_API_URL, apiKey: data.LLM_API_KEY, models }];
}

function oidcFrom(data: Environment): OidcSettings | null {
  const clientId = data.OAUTH_CLIENT_ID ?? data.VITE_APP_ID;
  if (data.OAUTH_SERVER_URL === undefined) return null;
  if (clientId === undefined) throw new SettingsError("OAUTH_CLIENT_ID: is required with OAUTH_SERVER_URL");
  return { issuer: data.OAUTH_SERVER_URL, clientId, clientSecret: data.OAUTH_CLIENT_SECRET ?? null };
}
