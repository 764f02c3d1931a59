/** The server as people start it: a process of its own, on a data folder of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createTestDatabase } from "@bursar/database/testing";
import pg from "pg";
import { afterEach, expect, it } from "vitest";
import { patiently } from "./processes.ts";

const MAIN = join(import.meta.dirname, "../src/main.ts");
const folders: string[] = [];
const children = new Set<ChildProcess>();

afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  for (const folder of folders.splice(0))
    await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

async function dataFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "bursar-process-"));
  folders.push(folder);
  return folder;
}

interface Started {
  readonly child: ChildProcess;
  readonly exit: Promise<number | null>;
  readonly output: () => string;
  /** Resolves with the URL of the `ready` line, or with null when the process ended before it. */
  readonly ready: Promise<string | null>;
}

function start(folder: string, args: string[] = [], env: Record<string, string> = {}): Started {
  const child = spawn(process.execPath, [MAIN, "--port", "0", ...args], {
    env: { ...process.env, BURSAR_DATA_DIR: folder, NODE_ENV: "test", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.add(child);
  let output = "";
  const exit = new Promise<number | null>((resolve) => {
    child.on("exit", (code) => {
      children.delete(child);
      resolve(code);
    });
  });
  const ready = new Promise<string | null>((resolve) => {
    const take = (chunk: Buffer) => {
      output += String(chunk);
      const url = /^ready (\S+)$/m.exec(output)?.[1];
      if (url !== undefined) resolve(url);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    void exit.then(() => resolve(null));
  });
  return { child, exit, output: () => output, ready };
}

const sandboxOf = async (folder: string) =>
  JSON.parse(await readFile(join(folder, "sandbox.json"), "utf8")) as Record<string, string>;

async function balanceOf(url: string, key: string): Promise<string> {
  const answer = await patiently(`${url}/v1/balance`, { headers: { authorization: `Bearer ${key}` } });
  return ((await answer.json()) as { available: string }).available;
}

async function spend(url: string, key: string, id: string): Promise<number> {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const body = JSON.stringify({ id, amount: "1" });
  return (await patiently(`${url}/v1/spend`, { method: "POST", headers, body })).status;
}

async function advance(url: string, key: string, by: string): Promise<{ now: string }> {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const body = JSON.stringify({ advance: by });
  const answer = await patiently(`${url}/sandbox/clock`, { method: "POST", headers, body });
  expect(answer.status).toBe(200);
  return (await answer.json()) as { now: string };
}

it("starts cold, keeps keys, credits and time over a warm start and a kill -9, and stops at SIGINT and SIGHUP", {
  timeout: 120_000,
}, async () => {
  const folder = await dataFolder();
  const first = start(folder);
  const url = (await first.ready)!;
  expect(first.output()).toMatch(/SANDBOX[\s\S]*curl -N http[\s\S]*\nready http:\/\/127\.0\.0\.1:\d+\n$/);
  const sandbox = await sandboxOf(folder);
  expect(Object.keys(sandbox).toSorted()).toEqual(
    [
      "accountId",
      "adminKey",
      "apiKey",
      "databaseUrl",
      "mailUrl",
      "modelUrl",
      "oidcUrl",
      "stripeKey",
      "stripeUrl",
      "url",
      "users",
    ].toSorted(),
  );
  expect((await stat(join(folder, "sandbox.json"))).mode & 0o777).toBe(0o600);
  expect(await spend(url, sandbox["apiKey"]!, "a")).toBe(200);
  first.child.kill("SIGINT");
  expect(await first.exit).toBe(0);

  const second = start(folder);
  const again = (await second.ready)!;
  expect((await sandboxOf(folder))["apiKey"]).toBe(sandbox["apiKey"]);
  expect(await spend(again, sandbox["apiKey"]!, "b")).toBe(200);
  const { now } = await advance(again, sandbox["adminKey"]!, "31d");
  second.child.kill("SIGKILL");
  await second.exit;

  const third = start(folder);
  const recovered = (await third.ready)!;
  expect(await balanceOf(recovered, sandbox["apiKey"]!)).toBe("998");
  expect((await advance(recovered, sandbox["adminKey"]!, "1s")).now > now).toBe(true);
  // As when the terminal is closed.
  third.child.kill("SIGHUP");
  expect(await third.exit).toBe(0);
});

it("ends, saying so, when its Postgres has ended by itself, and recovers at the next start", {
  timeout: 60_000,
}, async () => {
  const folder = await dataFolder();
  const first = start(folder);
  const url = (await first.ready)!;
  const { apiKey } = await sandboxOf(folder);
  expect(await spend(url, apiKey!, "a")).toBe(200);
  process.kill(
    Number.parseInt(await readFile(join(folder, "postgres/cluster/postmaster.pid"), "utf8"), 10),
    "SIGKILL",
  );
  expect(await first.exit).toBe(1);
  expect(first.output()).toMatch(/^Postgres ended by itself .*; start Bursar again/m);
  const second = start(folder);
  expect(await balanceOf((await second.ready)!, apiKey!)).toBe("999");
  second.child.kill("SIGTERM");
  expect(await second.exit).toBe(0);
});

it("tells streams that outlast its shutdown why they end, and what they cost", {
  timeout: 60_000,
}, async () => {
  const folder = await dataFolder();
  const server = start(folder, [], { BURSAR_SHUTDOWN_SECONDS: "1" });
  const url = (await server.ready)!;
  const { apiKey } = await sandboxOf(folder);
  const answer = await patiently(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${apiKey}` },
    body: JSON.stringify({
      model: "sandbox-small",
      stream: true,
      messages: [{ role: "user", content: "[[sandbox: tokens=2000 interval=20ms]] go" }],
    }),
  });
  expect(answer.status).toBe(200);
  server.child.kill("SIGTERM");
  const text = await answer.text();
  expect(text).toContain('"code":"unavailable"');
  expect(text).toContain('"cost":');
  expect(await server.exit).toBe(0);
});

it("waits for a database that is slow while it starts", { timeout: 60_000 }, async () => {
  const database = await createTestDatabase();
  const busy = new pg.Client({ connectionString: database.url });
  await busy.connect();
  await busy.query("begin; lock table accounts in access exclusive mode");
  const server = start(await dataFolder(), [], { DATABASE_URL: database.url });
  const isWaiting = async () => {
    // A transaction sees activity as it was when it first looked.
    await busy.query("select pg_stat_clear_snapshot()");
    const { rowCount } = await busy.query(
      "select from pg_stat_activity where application_name like 'bursar%' and wait_event_type = 'Lock'",
    );
    return rowCount! > 0;
  };
  while (!(await isWaiting())) await delay(50);
  await delay(4000);
  await busy.end();
  expect(await server.ready).not.toBeNull();
  server.child.kill("SIGTERM");
  expect(await server.exit).toBe(0);
  await database.drop();
});

it.each([0, 150, 300])(
  "told to end while it starts, here after %i ms of Postgres, does not call that a failure",
  {
    timeout: 60_000,
  },
  async (milliseconds) => {
    const folder = await dataFolder();
    const server = start(folder);
    const lockFile = () => readFile(join(folder, "postgres/cluster/postmaster.pid"), "utf8").catch(() => "");
    while (!(await lockFile()).includes("ready")) await delay(5);
    // Whenever it comes: into the migrations, between them, after them.
    await delay(milliseconds);
    server.child.kill("SIGINT");
    expect(await server.exit).toBe(0);
    expect(server.output()).not.toContain("rror");
  },
);

it("listens on several ports, and says in one line when a port is taken", { timeout: 60_000 }, async () => {
  const folder = await dataFolder();
  const first = start(folder, ["--listen", "0,0"]);
  const url = (await first.ready)!;
  const other = /^also +(\S+)$/m.exec(first.output())![1]!;
  const { apiKey } = await sandboxOf(folder);
  expect(await spend(url, apiKey!, "a")).toBe(200);
  expect(await balanceOf(other, apiKey!)).toBe("999");
  const second = start(await dataFolder(), ["--port", new URL(url).port]);
  expect(await second.exit).not.toBe(0);
  expect(second.output()).toContain(`PORT: ${new URL(url).port} is in use`);
  expect(second.output()).not.toContain("    at ");
});

const LIVE = {
  NODE_ENV: "production",
  DATABASE_URL: "postgresql://x/y",
  BURSAR_ADMIN_KEY: `bsa_${randomBytes(32).toString("base64url")}`,
};

/** A strong secret, and also a master key. */
const STRONG = randomBytes(32).toString("base64url");

it.each<[string, Record<string, string>, string[]]>([
  ["DATABASE_URL", { NODE_ENV: "production" }, []],
  [
    "BURSAR_ADMIN_KEY",
    { NODE_ENV: "production", DATABASE_URL: "postgresql://x/y", BURSAR_ADMIN_KEY: "short" },
    [],
  ],
  [
    "BURSAR_ADMIN_KEY",
    {
      NODE_ENV: "production",
      DATABASE_URL: "postgresql://x/y",
      BURSAR_ADMIN_KEY: `sandbox${"x".repeat(40)}`,
    },
    [],
  ],
  ["BURSAR_ADMIN_KEY", { ...LIVE, BURSAR_ADMIN_KEY: "a".repeat(40) }, []],
  ["BURSAR_SECRET", { ...LIVE }, []],
  ["BURSAR_SECRET", { ...LIVE, BURSAR_SECRET: "too short to be one" }, []],
  ["BURSAR_SECRET", { ...LIVE, BURSAR_SECRET: "ab".repeat(40) }, []],
  ["BURSAR_MASTER_KEY", { ...LIVE, BURSAR_SECRET: STRONG }, []],
  ["BURSAR_MASTER_KEY", { ...LIVE, BURSAR_SECRET: STRONG, BURSAR_MASTER_KEY: "00".repeat(32) }, []],
  ["BURSAR_OLD_MASTER_KEYS", { BURSAR_MASTER_KEY: STRONG, BURSAR_OLD_MASTER_KEYS: "old" }, []],
  ["BURSAR_SELLER_NAME", { BURSAR_SELLER_ADDRESS: "1 Example Street|Exampleton" }, []],
  ["BURSAR_DOCUMENT_FONT", { BURSAR_DOCUMENT_FONT: "/nowhere/font.ttf" }, []],
  ["OAUTH_CLIENT_ID", { OAUTH_SERVER_URL: "https://id.example.org" }, []],
  ["BURSAR_URL", { BURSAR_URL: "ftp://example.org" }, []],
  ["BURSAR_VERIFY_EMAIL", { BURSAR_VERIFY_EMAIL: "maybe" }, []],
  ["DATABASE_URL", { DATABASE_URL: "mysql://x/y" }, []],
  ["PORT", { PORT: "many" }, []],
  ["--port", {}, ["--port", "99999"]],
  ["--listen", {}, ["--listen", "3000,x"]],
  ["BURSAR_UPSTREAMS", { BURSAR_UPSTREAMS: "not json" }, []],
  ["SMTP_URL", { SMTP_URL: "mail.example.com:587" }, []],
  ["MAIL_FROM", { SMTP_URL: "smtp://x", MAIL_FROM: "nobody" }, []],
  ["MAIL_FROM", { NODE_ENV: "production", DATABASE_URL: "postgresql://x/y", SMTP_URL: "smtp://x" }, []],
])("refuses to start, by the setting's name: %s %j %j", { timeout: 60_000 }, async (name, env, args) => {
  const refused = start(await dataFolder(), args, env);
  expect(await refused.exit).toBe(2);
  expect(refused.output()).toMatch(new RegExp(`^${name}: `, "m"));
  expect(refused.output()).not.toContain("    at ");
});

it("says in one line what is wrong with a database or a folder, and waits only where waiting may help", {
  timeout: 60_000,
}, async () => {
  const database = await createTestDatabase();
  const locked = new URL(database.url);
  locked.password = "wrong";
  const refused = start(await dataFolder(), [], { DATABASE_URL: locked.href });
  expect(await refused.exit).toBe(1);
  expect(refused.output()).toMatch(/^DATABASE_URL: the database cannot be used: password auth.*\n$/);
  const file = join(await dataFolder(), "a file");
  await writeFile(file, "");
  const misplaced = start(join(file, "data"));
  expect(await misplaced.exit).toBe(1);
  expect(misplaced.output()).toMatch(/^BURSAR_DATA_DIR: ENOTDIR: .*; it must be a folder .*\n$/);
  const waiting = start(await dataFolder(), [], { DATABASE_URL: "postgresql://nobody@127.0.0.1:1/none" });
  while (!waiting.output().includes("waiting for the database: connect ECONNREFUSED")) await delay(50);
  waiting.child.kill("SIGTERM");
  expect(await waiting.exit).toBe(0);
  await database.drop();
});

async function needForgottenMasterKey(url: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query("insert into data_keys values ('acct_1', '1', '0123456789ab', '', now())");
  await client.end();
}

it("live mode refuses a database with the sandbox's public passwords, or with keys that it cannot open; a sandbox refuses a live one's", {
  timeout: 120_000,
}, async () => {
  const database = await createTestDatabase();
  try {
    const env = { ...LIVE, DATABASE_URL: database.url, BURSAR_SECRET: STRONG, BURSAR_MASTER_KEY: STRONG };
    const folder = await dataFolder();
    const sandbox = start(folder, [], { DATABASE_URL: database.url });
    const url = (await sandbox.ready)!;
    const { adminKey } = await sandboxOf(folder);
    const headers = { authorization: `Bearer ${adminKey}` };
    const statusAt = async (server: string) => (await patiently(`${server}/v1/accounts`, { headers })).status;
    expect(await statusAt(url)).toBe(200);
    const logIn = (username: string, password: string) =>
      patiently(`${url}/api/auth/login`, { method: "POST", body: JSON.stringify({ username, password }) });
    for (const [name, password] of Object.entries(SANDBOX_PASSWORDS)) {
      expect((await logIn(name, password)).status).toBe(200);
    }
    sandbox.child.kill("SIGTERM");
    await sandbox.exit;
    const refused = start(await dataFolder(), [], env);
    expect(await refused.exit).not.toBe(0);
    expect(refused.output()).toMatch(/^DATABASE_URL: holds the sandbox user "admin"/m);
    const client = new pg.Client(database.url);
    await client.connect();
    await client.query("delete from identity.people");
    await client.end();
    const live = start(await dataFolder(), ["--host", "127.0.0.1"], env);
    expect(await statusAt((await live.ready)!)).toBe(401);
    live.child.kill("SIGTERM");
    await live.exit;
    const careless = start(await dataFolder(), [], { DATABASE_URL: database.url, NODE_ENV: "staging" });
    expect(await careless.exit).not.toBe(0);
    expect(careless.output()).toMatch(/^DATABASE_URL: is the database of a live server/m);
    await needForgottenMasterKey(database.url);
    const keyless = start(await dataFolder(), [], env);
    expect(await keyless.exit).not.toBe(0);
    expect(keyless.output()).toMatch(/^BURSAR_OLD_MASTER_KEYS: lacks the master key 0123456789ab/m);
  } finally {
    for (const child of children) child.kill("SIGKILL");
    await database.drop();
  }
});

const SANDBOX_PASSWORDS = { admin: "admin@admin", user1: "User1@123", supervisor1: "Supervisor1@123" };
