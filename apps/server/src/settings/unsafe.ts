import { MASTER_KEY_RULE } from "@bursar/engine/secret/master-keys";
import { SettingsError } from "./error.ts";

const WEAKEST_ADMIN_KEY = 32;
const WEAKEST_SECRET = 32;
const FEWEST_CHARACTERS = 10;

/** What guards real money. */
interface Guards {
  readonly databaseUrl: string | null;
  readonly adminKey: string | null;
  readonly secret: string | null;
  readonly masterKeys: readonly string[];
  readonly publicUrl: string | null;
  readonly smtp: object | null;
  readonly oidc: object | null;
  readonly stripe: object | null;
}

/** What would be careless with real money does not start. */
export function refuseUnsafe(settings: Guards): void {
  if (settings.databaseUrl === null) {
    throw new SettingsError("DATABASE_URL: is required with NODE_ENV=production, a postgresql:// URL");
  }
  if (settings.adminKey === null || isWeak(settings.adminKey, WEAKEST_ADMIN_KEY)) {
    throw new SettingsError(
      `BURSAR_ADMIN_KEY: is required with NODE_ENV=production, at least ${WEAKEST_ADMIN_KEY} random characters; ` +
        `make one with: node -p "'bsa_' + crypto.randomBytes(32).toString('base64url')"`,
    );
  }
  if (/sandbox/i.test(settings.adminKey)) {
    throw new SettingsError("BURSAR_ADMIN_KEY: is a sandbox key, which live mode refuses");
  }
  refuseWeakSecret(settings.secret);
  refuseLocalLinks(settings);
  if (settings.masterKeys.length > 0) return;
  throw new SettingsError(
    `BURSAR_MASTER_KEY: is required with NODE_ENV=production, ${MASTER_KEY_RULE}; ` +
      `make one with: node -p "crypto.randomBytes(32).toString('base64url')"`,
  );
}

/** Without an address of its own, what leaves the server names 127.0.0.1, which is the reader's own machine. */
function refuseLocalLinks({ publicUrl, smtp, oidc, stripe }: Guards): void {
  const needs = { SMTP_URL: smtp, OAUTH_SERVER_URL: oidc, STRIPE_SECRET_KEY: stripe };
  const name = Object.entries(needs).find(([, set]) => set !== null)?.[0];
  if (publicUrl !== null || name === undefined) return;
  throw new SettingsError(
    `BURSAR_URL: is required with ${name} and NODE_ENV=production, the address that people reach this server by, ` +
      "such as https://bursar.example.com",
  );
}

function refuseWeakSecret(secret: string | null): void {
  if (secret !== null && !isWeak(secret, WEAKEST_SECRET)) return;
  throw new SettingsError(
    `BURSAR_SECRET: is required with NODE_ENV=production, at least ${WEAKEST_SECRET} random characters; ` +
      `make one with: node -p "crypto.randomBytes(32).toString('base64url')"`,
  );
}

function isWeak(secret: string, shortest: number): boolean {
  return secret.length < shortest || new Set(secret).size < FEWEST_CHARACTERS;
}
