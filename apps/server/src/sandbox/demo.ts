import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AccountId, GrantId } from "@bursar/contract/ids";
import { credits } from "@bursar/contract/money";
import { createAccount } from "@bursar/engine/account/create";
import { grant } from "@bursar/engine/grant/grant";
import { newSecret } from "@bursar/engine/key/secret";
import type { Engine } from "../engine.ts";
import type { SandboxPerson } from "./people.ts";
import { SANDBOX_PRICES } from "./prices.ts";

/** What the sandbox tells its users and tools, in a file only they can read. */
export interface SandboxFile {
  readonly url: string;
  readonly adminKey: string;
  readonly apiKey: string;
  readonly accountId: string;
  readonly users: readonly SandboxPerson[];
  readonly modelUrl: string;
  /** Where the mail that Bursar sends can be read; null where it goes to a real mail server. */
  readonly mailUrl: string | null;
  /** The issuer of the OpenID provider; null where a real one is set. */
  readonly oidcUrl: string | null;
  /** The sandbox's Stripe; its API is below `/v1`. */
  readonly stripeUrl: string;
  readonly stripeKey: string;
  readonly databaseUrl: string;
}

/** Who makes what a sandbox begins with, its keys among it. */
export const SANDBOX_MAKER = "system:sandbox";

const DEMO_CREDITS = credits("1000");

/** Prices, an account with credits, and keys. Runs at every start and changes nothing that is there already: keys that
 *  were printed once go on working. */
export async function prepareDemo(
  engine: Engine,
  dataDir: string,
): Promise<Pick<SandboxFile, "adminKey" | "apiKey" | "accountId">> {
  await preparePrices(engine);
  const accountId = "acct_demo" as AccountId;
  await createAccount(engine, { id: accountId, name: "Demo" });
  await grant(engine, {
    accountId,
    id: "grant_demo_welcome" as GrantId,
    amount: DEMO_CREDITS,
    source: "trial",
    expiresAt: null,
    notes: "Welcome to the sandbox",
    by: SANDBOX_MAKER,
  });
  const before = await readSandboxFile(dataDir);
  const adminKey = await keptKey(engine, before?.adminKey, null);
  const apiKey = await keptKey(engine, before?.apiKey, accountId);
  return { adminKey, apiKey, accountId };
}

async function preparePrices(engine: Engine): Promise<void> {
  const versions = await engine.prices.versions(engine.clock.now());
  if (versions.length > 0) return;
  await engine.prices.put({ body: SANDBOX_PRICES, version: 1, by: SANDBOX_MAKER });
}

/** The key of the last start where the database still knows it, else a new one. */
async function keptKey(
  engine: Engine,
  known: string | undefined,
  accountId: AccountId | null,
): Promise<string> {
  if (known !== undefined && (await engine.keys.authenticate(known)).kind === "authenticated") return known;
  const secret = newSecret(accountId === null ? "admin" : "account");
  await engine.keys.create({ accountId, secret, name: "sandbox", by: SANDBOX_MAKER });
  return secret;
}

const FILE = "sandbox.json";

async function readSandboxFile(dataDir: string): Promise<Partial<SandboxFile> | null> {
  try {
    return JSON.parse(await readFile(join(dataDir, FILE), "utf8")) as Partial<SandboxFile>;
  } catch {
    return null;
  }
}

/** Whole or not at all: a reader never finds half a file. */
export async function writeSandboxFile(dataDir: string, content: SandboxFile): Promise<void> {
  const path = join(dataDir, FILE);
  await writeFile(`${path}.new`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}
