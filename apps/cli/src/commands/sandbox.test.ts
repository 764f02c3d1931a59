import { type ScriptedServer, startScriptedServer } from "@bursar/client/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { bursar, type SandboxFolder, sandboxFolder } from "../testing/bursar.ts";

let server: ScriptedServer;
let sandbox: SandboxFolder;

beforeEach(async () => {
  server = await startScriptedServer();
  sandbox = await sandboxFolder({ url: server.url, adminKey: "admin-key", apiKey: "api-key" });
});

afterEach(async () => {
  await server.close();
  await sandbox[Symbol.asyncDispose]();
});

const run = (...args: string[]) => bursar(args, { folder: sandbox.path });
const STATE = { now: "2027-03-31T12:00:05.000Z", systemTime: "2027-02-28T12:00:05.000Z", frozen: false };
const SUMMARY = {
  id: "mail_3",
  receivedAt: "2027-02-28T12:00:00.000Z",
  from: "Bursar <bursar@sandbox.test>",
  to: ["ada@sandbox.test"],
  subject: "Confirm\u001b[31m your address",
};

test("clock shows the sandbox's time, with the admin key", async () => {
  server.on("GET /sandbox/clock", { status: 200, body: { ...STATE, frozen: true } });
  const { code, stdout } = await run("clock");
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: "Sandbox  2027-03-31 12:00:05 UTC, frozen\nMachine  2027-02-28 12:00:05 UTC\n",
  });
  expect(server.requests[0]?.headers.authorization).toBe("Bearer admin-key");
});

test.each([
  [["advance", "31d"], { advance: "31d" }],
  [["advance", "3mo"], { advance: "3mo" }],
  [["freeze"], { freeze: true }],
  [["unfreeze"], { freeze: false }],
])("clock %j asks for exactly that, and prints the answer as JSON", async (args, body) => {
  server.on("POST /sandbox/clock", { status: 200, body: { ...STATE, settled: true } });
  const { code, stdout } = await run("clock", ...args, "--json");
  expect([code, JSON.parse(stdout)]).toEqual([0, { ...STATE, settled: true }]);
  expect(server.requests.map((request) => request.body)).toEqual([body]);
});

test("clock says so when not all that is due could be done", async () => {
  server.on("POST /sandbox/clock", { status: 200, body: { ...STATE, settled: false } });
  const { code, stdout } = await run("clock", "advance", "1d");
  expect(code).toBe(5);
  expect(stdout).toContain("not all that is due could be done");
});

test("times are told by the sandbox's clock, wherever it has been moved to", async () => {
  const body = { id: "hold_1", amount: "5", available: "5", expiresAt: "2027-03-31T12:10:05.000Z" };
  const headers = { date: "Wed, 31 Mar 2027 12:00:05 GMT" };
  server.on("POST /v1/holds", { status: 201, body, headers });
  const { stdout } = await run("hold", "5");
  expect(stdout).toContain("it ends in 10 minutes (2027-03-31 12:10 UTC)");
});

test("what is to last 30 days lasts them by the sandbox's clock", async () => {
  const headers = { date: "Wed, 31 Mar 2027 12:00:05 GMT" };
  server.on("HEAD /health", { status: 200, headers });
  await run("grant", "5", "--account", "acct_1", "--expires", "30d");
  expect(server.requests.at(-1)?.body).toMatchObject({ expiresAt: expect.stringMatching(/^2027-04-30T/) });
});

test("clock names what a duration looks like, and asks nothing", async () => {
  const { code, stderr } = await run("clock", "advance", "soon");
  expect(code).toBe(2);
  expect(stderr).toContain("like 90s, 15m, 12h, 31d, 2w or 3mo (calendar months)");
  expect(server.requests).toEqual([]);
});

test("mail lists what was sent, and no mail can steer the terminal", async () => {
  server.on("GET /sandbox/mail", { status: 200, body: { mails: [SUMMARY] } });
  const { code, stdout } = await run("mail", "--to", "ada@sandbox.test");
  expect(code).toBe(0);
  expect(stdout).toContain("mail_3  2027-02-28 12:00 UTC  ada@sandbox.test  Confirm[31m your address\n");
  expect(server.requests[0]?.path).toBe("/sandbox/mail?to=ada%40sandbox.test");
});

test("mail shows one by its id", async () => {
  const body = { ...SUMMARY, text: "Line one\nhttps://x.test/?a=1\n", html: null, messageId: null };
  server.on("GET /sandbox/mail/mail_3", { status: 200, body });
  const { code, stdout } = await run("mail", "mail_3");
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /Received {2}2027-02-28 12:00:00 UTC[\s\S]*\n\nLine one\nhttps:\/\/x\.test\/\?a=1\n$/,
  );
});

test("mail --clear empties the mailbox, and goes with nothing else", async () => {
  server.on("DELETE /sandbox/mail", { status: 200, body: { mails: [] } });
  expect((await run("mail", "--clear")).stdout).toBe("The mailbox is empty.\n");
  expect((await run("mail", "mail_3", "--clear")).code).toBe(2);
  expect(server.requests).toHaveLength(1);
});
