import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startScriptedServer } from "@bursar/client/testing";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { openBrowser } from "../../../server/test/browser.ts";
import { type Running, startRunning } from "../../../server/test/running.ts";
import { openSignIns, type SignedIn } from "../sign-in/store.ts";
import { bursar, PROGRAM } from "../testing/bursar.ts";
import { openTerminal } from "../testing/terminal.ts";

const password = "correct horse 9";
let running: Running;
let home: string;

beforeAll(async () => {
  running = await startRunning();
  for (const [username, role] of [
    ["ann", "user"],
    ["root", "admin"],
  ] as const) {
    const email = `${username}@example.org`;
    await running.identity.people.create({ username, email, password, role, emailVerified: true });
  }
});
afterAll(() => running.close());
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "bursar-home-"));
});
afterEach(() => rm(home, { recursive: true }));

const environment = () => ({ HOME: home, BURSAR_URL: running.url, XDG_CONFIG_HOME: "" });
const run = (...args: string[]) => bursar(args, { folder: home, environment: environment() });
const fileOf = () => join(home, ".config", "bursar", "sign-ins.json");

/** Starts `bursar login`, decides as a person in a browser would, and waits for its end. */
async function logIn(named: string, decision = "approve") {
  const child = spawn(process.execPath, [PROGRAM, "login", "--json"], {
    cwd: home,
    env: { ...process.env, ...environment() },
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += String(chunk)));
  const asked = new Promise<{ page: string; userCode: string }>((resolve) => {
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += String(chunk);
      const line = /^\{"page".*\}$/m.exec(stderr)?.[0];
      if (line !== undefined) resolve(JSON.parse(line) as { page: string; userCode: string });
    });
  });
  const end = new Promise<number | null>((resolve) => child.on("close", resolve));
  const { page, userCode } = await asked;
  const browser = openBrowser(running.url);
  await browser.get(page);
  await browser.follow(await browser.submit("/device/sign-in", { named, password, user_code: userCode }));
  await browser.submit("/device/decide", { user_code: userCode, decision });
  return { code: await end, stdout, stderr };
}

/** As `bursar login` leaves it, without the five seconds for which a device waits before it asks. */
async function signedIn(username: string, more: Partial<SignedIn> = {}): Promise<SignedIn> {
  const { body } = await running.call(null, "POST", "/api/auth/login", { username, password });
  const { accessToken, refreshToken, user } = body;
  const who = { name: user.username, role: user.role, accountId: user.accountId };
  const staleAtMilliseconds = Date.now() + 600_000;
  const kept = { url: running.url, accessToken, refreshToken, ...who, staleAtMilliseconds, ...more };
  openSignIns(environment()).keep(kept);
  return kept;
}

test("a person signs in on a page; then commands act as them, until they sign out", {
  timeout: 40_000,
}, async () => {
  const { code, stdout } = await logIn("ann");
  expect(code).toBe(0);
  const { accountId } = JSON.parse(stdout) as { accountId: string };
  expect((await stat(fileOf())).mode & 0o777).toBe(0o600);
  expect((await run("whoami")).stdout).toContain("ann (user)");
  expect(JSON.parse((await run("balance", "--json")).stdout)).toMatchObject({ accountId });
  expect((await run("accounts")).code).toBe(4);
  const [kept] = JSON.parse(await readFile(fileOf(), "utf8")) as { refreshToken: string }[];
  expect((await run("logout")).stdout).toContain("ann is signed out");
  const refreshed = await running.call(null, "POST", "/api/auth/refresh", {
    refreshToken: kept!.refreshToken,
  });
  expect(refreshed.status).toBe(401);
  expect((await run("whoami")).code).toBe(4);
});

test("commands that run at once refresh a stale token once, and none is signed out by it", {
  timeout: 40_000,
}, async () => {
  const kept = await signedIn("root", { staleAtMilliseconds: 0 });
  const runs = await Promise.all([run("accounts"), run("whoami"), run("balance"), run("accounts")]);
  expect(runs.map(({ code, stderr }) => [code, stderr])).toEqual(runs.map(() => [0, ""]));
  const [renewed] = JSON.parse(await readFile(fileOf(), "utf8")) as [Record<string, unknown>];
  expect(renewed["refreshToken"]).not.toBe(kept.refreshToken);
});

test("who signed in while the clock of this machine was ahead is let in when it is set right", {
  timeout: 40_000,
}, async () => {
  const hours = 2 * 3_600_000;
  await signedIn("root", { accessToken: "has expired", staleAtMilliseconds: Date.now() + hours });
  const { code, stderr } = await run("whoami");
  expect([code, stderr]).toEqual([0, ""]);
});

test("who was denied, or whose sign-in has ended, is told so", { timeout: 40_000 }, async () => {
  const denied = await logIn("ann", "deny");
  expect([denied.code, denied.stderr]).toEqual([4, expect.stringContaining("It was denied on the page")]);
  await signedIn("ann", { staleAtMilliseconds: 0 });
  const { id } = (await running.identity.people.find("ann"))!;
  await running.identity.endAllSessions(id);
  const ended = await run("balance");
  expect([ended.code, ended.stderr]).toEqual([4, expect.stringContaining("Sign in again: bursar login")]);
});

test("a person is deleted after a look at what is lost, and the sign-in is forgotten with its file", {
  timeout: 60_000,
}, async () => {
  const facts = { username: "leaver", email: "leaver@example.org", password, emailVerified: true };
  await running.identity.people.create(facts);
  await logIn("leaver");
  const shown = await run("account", "delete", "--preview");
  expect([shown.code, shown.stdout]).toEqual([
    0,
    expect.stringMatching(/You are +leaver.*\nLost +0 credits/),
  ]);
  const unasked = await run("account", "delete");
  expect([unasked.code, unasked.stderr]).toEqual([2, expect.stringContaining("give --yes")]);
  const unproved = await run("account", "delete", "--yes");
  expect([unproved.code, unproved.stderr]).toEqual([2, expect.stringContaining("--password-stdin")]);
  for (const [name, fingers] of [
    ["no", []],
    ["leaver", ["\u0003"]],
    ["leaver", ["wrong\r"]],
  ] as const) {
    using terminal = openTerminal(["account", "delete"], { folder: home, environment: environment() });
    await terminal.see("bursar export > bursar.json");
    await terminal.see("Type leaver");
    terminal.type(`${name}\r`);
    for (const typed of fingers) {
      await terminal.see("Password:");
      terminal.type(typed);
    }
    expect([name, fingers, await terminal.exited]).toEqual([
      ...[name, fingers],
      fingers[0] === "wrong\r" ? 4 : name === "no" ? 0 : 130,
    ]);
  }
  expect((await run("whoami")).code).toBe(0);
  using terminal = openTerminal(["account", "delete"], { folder: home, environment: environment() });
  await terminal.see("Type leaver");
  terminal.type("leaver\r");
  await terminal.see("Password:");
  terminal.type(`${password}\r`);
  await terminal.see("You are deleted.");
  expect(await terminal.exited).toBe(0);
  expect(terminal.shown()).not.toContain(password);
  expect(await stat(fileOf()).catch(() => null)).toBeNull();
  expect(await running.identity.people.find("leaver")).toBeNull();

  await running.identity.people.create(facts);
  await logIn("leaver");
  const stdin = `${password}\n`;
  const words = ["account", "delete", "--yes", "--password-stdin", "--json"];
  const script = await bursar(words, { folder: home, environment: environment(), stdin });
  expect([script.code, JSON.parse(script.stdout)]).toMatchObject([0, { state: "deleted" }]);
});

test("a file of sign-ins that is damaged is named, whatever is wrong with it", async () => {
  await mkdir(join(home, ".config", "bursar"), { recursive: true });
  for (const damaged of ["", "[{", "{}", "[null]", '[{"url": 5}]', `[{"url": "${running.url}"}]`]) {
    await writeFile(fileOf(), damaged);
    const { code, stderr } = await run("balance", "--json");
    expect([damaged, code]).toEqual([damaged, 2]);
    expect(JSON.parse(stderr).error.message).toContain(fileOf());
  }
});

test("where no sign-in can be kept, nobody is sent to a page", async () => {
  await writeFile(join(home, ".config"), "");
  const { code, stderr } = await run("login");
  expect(code).toBe(2);
  expect(stderr).toContain(`No sign-in can be kept in ${fileOf()}`);
  expect(stderr).not.toContain("/device");
});

test("a server that is away for a moment while a person decides does not end the sign-in", async () => {
  await using server = await startScriptedServer();
  const codes = { device_code: "d", user_code: "ABCD", verification_uri_complete: `${server.url}/device` };
  const user = { username: "ann", role: "user", accountId: "acct_ann" };
  const tokens = { access_token: "a", refresh_token: "r" };
  server.on("POST /api/identity/device/code", {
    status: 200,
    body: { ...codes, interval: 0.05, expires_in: 60 },
  });
  server.on(
    "POST /api/identity/device/token",
    { status: 400, body: { error: "authorization_pending" } },
    { status: 502, body: "<h1>Bad Gateway</h1>" },
    { status: 503, body: { message: "not now" } },
    (response) => void response.destroy(),
    { status: 200, body: tokens },
  );
  server.on("GET /api/auth/me", { status: 200, body: { user } });
  const here = { ...environment(), BURSAR_URL: server.url };
  const { code, stderr, stdout } = await bursar(["login"], { folder: home, environment: here });
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(stdout).toContain("You are ann (user)");
});
