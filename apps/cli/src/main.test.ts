import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { refusalBody, type ScriptedServer, startScriptedServer } from "@bursar/client/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bursar, PROGRAM, type SandboxFolder, sandboxFolder } from "./testing/bursar.ts";

let server: ScriptedServer;
let sandbox: SandboxFolder;

const BALANCE = {
  accountId: "acct_demo",
  available: "1234.5",
  held: "0",
  owed: "0",
  net: "1234.5",
  frozen: false,
  grants: [],
  nextExpiry: null,
  nextReset: null,
};

const FILE = { adminKey: "admin-key", apiKey: "api-key", accountId: "acct_demo" };

beforeEach(async () => {
  server = await startScriptedServer();
  sandbox = await sandboxFolder({ ...FILE, url: server.url });
  server.on("GET /v1/balance", { status: 200, body: BALANCE });
});

afterEach(async () => {
  await server.close();
  await sandbox[Symbol.asyncDispose]();
});

const here = (environment: Readonly<Record<string, string>> = {}) => ({ folder: sandbox.path, environment });
const coloured = async (args: readonly string[], environment = {}) =>
  (await bursar(["balance", ...args], here(environment))).stdout.includes("\u001B[");
const keysSent = () => server.requests.map((request) => request.headers.authorization);

describe("the running sandbox", () => {
  test("is found from a folder below it, and the account's key is used", async () => {
    const folder = join(sandbox.path, "deep", "below");
    await mkdir(folder, { recursive: true });
    const { code, stdout, stderr } = await bursar(["balance"], { folder });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("1,234.5 credits available in acct_demo");
    expect(keysSent()).toEqual(["Bearer api-key"]);
    expect(server.requests[0]?.path).toBe("/v1/balance");
  });

  test("gives the admin key and its account to commands that need them", async () => {
    server.on("POST /v1/grants", {
      status: 201,
      body: { id: "g", amount: "5", remaining: "5", expiresAt: null },
    });
    const { code } = await bursar(["grant", "5", "--expires", "never"], here());
    expect(code).toBe(0);
    expect(keysSent()).toEqual(["Bearer admin-key"]);
    expect(server.requests[0]?.body).toMatchObject({ accountId: "acct_demo", amount: "5", expiresAt: null });
  });

  test("lets the admin key act for another account", async () => {
    await bursar(["balance", "--account", "acct_other"], here());
    expect(keysSent()).toEqual(["Bearer admin-key"]);
    expect(server.requests[0]?.path).toBe("/v1/balance?accountId=acct_other");
  });

  test("is found by BURSAR_DATA_DIR from anywhere", async () => {
    const { code } = await bursar(["balance"], {
      environment: { BURSAR_DATA_DIR: join(sandbox.path, ".bursar") },
    });
    expect(code).toBe(0);
  });

  test("that is nowhere is said with what was looked for and how to start one", async () => {
    const environment = { BURSAR_DATA_DIR: join(sandbox.path, "nothing") };
    const { code, stdout, stderr } = await bursar(["balance"], { environment });
    expect({ code, stdout }).toEqual({ code: 5, stdout: "" });
    expect(stderr).toContain(join(sandbox.path, "nothing", "sandbox.json"));
    expect(stderr).toContain("BURSAR_URL");
    expect(stderr).toContain("npm start");
  });

  test("that is stopped is said with its folder and how to start it again", async () => {
    await server.close();
    const { code, stderr } = await bursar(["balance"], here());
    expect(code).toBe(5);
    expect(stderr).toContain(`Nothing answers at ${server.url}`);
    expect(stderr).toContain(`BURSAR_DATA_DIR=${join(sandbox.path, ".bursar")} npm start, in `);
  });

  test("whose file is broken is said with the file's name", async () => {
    await using broken = await sandboxFolder("{");
    const { code, stderr } = await bursar(["balance"], { folder: broken.path });
    expect(code).toBe(5);
    expect(stderr).toContain(join(broken.path, ".bursar", "sandbox.json"));
  });
});

describe("the environment and the flags", () => {
  test("win over the sandbox's file, the flags over both", async () => {
    const environment = { BURSAR_URL: server.url, BURSAR_API_KEY: "from-environment" };
    await bursar(["balance"], here(environment));
    await bursar(["--key", "from-flag", "balance"], here(environment));
    await bursar(["balance", "--key=from-flag"], here(environment));
    expect(keysSent()).toEqual(["Bearer from-environment", "Bearer from-flag", "Bearer from-flag"]);
  });

  test("never make the sandbox's keys leave for another server", async () => {
    await using other = await startScriptedServer();
    const { code, stderr } = await bursar(["balance", "--url", other.url], here());
    expect(code).toBe(4);
    expect(stderr).toContain("BURSAR_API_KEY");
    expect(other.requests).toEqual([]);
  });

  test("with a url that is none say what would be right", async () => {
    const { code, stderr } = await bursar(["balance", "--url", "localhost"], here({ BURSAR_API_KEY: "k" }));
    expect(code).toBe(2);
    expect(stderr).toContain("must look like http://127.0.0.1:3000");
    const below = await bursar(["login"], here({ BURSAR_URL: "https://example.com/bursar" }));
    expect([below.code, below.stderr]).toEqual([2, expect.stringContaining("BURSAR_URL must look like")]);
  });

  test("with a wrong key tell where it came from", async () => {
    server.on("GET /v1/balance", {
      status: 401,
      body: refusalBody("unauthenticated", { type: "authentication_error" }),
    });
    const { code, stderr } = await bursar(["balance"], here({ BURSAR_API_KEY: "k" }));
    expect(code).toBe(4);
    expect(stderr).toContain("the key from BURSAR_API_KEY");
  });
});

test("a write whose answer was lost is told with the id to repeat it under", async () => {
  server.on("POST /v1/spend", (response) => void response.destroy());
  const { code, stderr } = await bursar(["spend", "1"], here());
  expect(code).toBe(5);
  expect(stderr).toMatch(/Repeat it with --id op_\w+/);
  expect(new Set(server.requests.map((request) => JSON.stringify(request.body))).size).toBe(1);
});

describe("--json", () => {
  test("prints the answer as one document and nothing else", async () => {
    const { code, stdout, stderr } = await bursar(["balance", "--json"], here());
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toEqual(BALANCE);
  });

  test("prints a refusal on stderr, in the API's own shape", async () => {
    const body = refusalBody("insufficient_credits", {
      type: "insufficient_credits",
      available: "1",
      missing: "4",
    });
    server.on("POST /v1/spend", { status: 402, body });
    const { code, stdout, stderr } = await bursar(["spend", "5", "--json"], here());
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(JSON.parse(stderr)).toEqual(body);
  });

  test.each([
    {
      args: ["balance", "--bogus"],
      code: 2,
      error: { type: "invalid_request_error", code: "invalid_request" },
    },
    { args: ["spend"], code: 2, error: { type: "invalid_request_error", code: "invalid_request" } },
    {
      args: ["balance", "--url", "http://127.0.0.1:6000", "--key", "k"],
      code: 5,
      error: { type: "unavailable_error", code: "unavailable" },
    },
  ])("prints our own errors in that shape, too: $args", async ({ args, code, error }) => {
    const run = await bursar([...args, "--json"], here());
    expect({ code: run.code, stdout: run.stdout }).toEqual({ code, stdout: "" });
    expect(JSON.parse(run.stderr)).toEqual({
      error: { ...error, message: expect.any(String), param: null, requestId: null },
    });
  });

  test("prints all pages of --all as one document", async () => {
    server.on(
      "GET /v1/entries",
      { status: 200, body: { entries: [{ seq: 2 }], nextCursor: "c" } },
      { status: 200, body: { entries: [{ seq: 1 }], nextCursor: null } },
    );
    const { stdout } = await bursar(["entries", "--all", "--json"], here());
    expect(JSON.parse(stdout)).toEqual({ entries: [{ seq: 2 }, { seq: 1 }], nextCursor: null });
  });
});

describe("what is missing", () => {
  test.each([
    { args: ["explain", ""], says: "argument 'id' must not be empty" },
    { args: ["hold", "release", ""], says: "argument 'hold id' must not be empty" },
    { args: ["spend", "--model", "small"], says: "How many tokens?" },
    { args: ["hold", "--model", "small"], says: "How many tokens?" },
    { args: ["hold", "settle", "hold_7", "--model", "small"], says: "How many tokens?" },
  ])("is a usage error, and nothing is asked or charged: $args", async ({ args, says }) => {
    const { code, stderr } = await bursar(args, here());
    expect(code).toBe(2);
    expect(stderr).toContain(says);
    expect(server.requests).toEqual([]);
  });
});

test("a document that cannot be saved says where", async () => {
  server.on("GET /v1/payments/pay_7/receipt.pdf", { status: 200, body: {} });
  const out = join(sandbox.path, "no", "folder.pdf");
  const { code, stderr } = await bursar(["payments", "receipt", "pay_7", "--out", out], here());
  expect(code).toBe(2);
  expect(stderr).toContain(`${out} cannot be written: ENOENT`);
});

describe("the exit code", () => {
  test.each([
    [402, "insufficient_credits", "insufficient_credits", 1],
    [402, "in_debt", "insufficient_credits", 1],
    [403, "account_frozen", "permission_error", 1],
    [409, "key_conflict", "conflict_error", 1],
    [422, "invalid_request", "invalid_request_error", 2],
    [404, "account_unknown", "not_found_error", 3],
    [401, "key_revoked", "authentication_error", 4],
    [403, "admin_required", "permission_error", 4],
    [503, "unavailable", "unavailable_error", 5],
    [500, "internal", "internal_error", 70],
  ])("of %i %s (%s) is %i", async (status, code, type, exit) => {
    server.on("GET /v1/balance", { status, body: refusalBody(code, { type }) });
    const run = await bursar(["balance"], here());
    expect(run.code).toBe(exit);
    expect(run.stderr).toContain(`error: refused: ${code}`);
  });

  test("of a misspelt command is 2, with the likely one", async () => {
    const { code, stderr } = await bursar(["balnce"], here());
    expect(code).toBe(2);
    expect(stderr).toContain("Did you mean balance?");
  });

  test("of a check that says no is 1, with its answer on stdout", async () => {
    const body = {
      allowed: false,
      amount: "5",
      available: "1",
      missing: "4",
      reason: "insufficient_credits",
    };
    server.on("POST /v1/check", { status: 200, body: { ...body, affordable: { maxOutputTokens: null } } });
    const { code, stdout } = await bursar(["check", "5", "--json"], here());
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject(body);
  });
});

describe("the output", () => {
  test("has colours only where they are wanted", async () => {
    expect(await coloured([])).toBe(false);
    expect(await coloured([], { FORCE_COLOR: "1" })).toBe(true);
    expect(await coloured(["--no-color"], { FORCE_COLOR: "1" })).toBe(false);
    expect(await coloured([], { FORCE_COLOR: "1", NO_COLOR: "1" })).toBe(false);
  });

  test("may be cut off by its reader, quietly", async () => {
    const entries = Array.from({ length: 20_000 }, (_, seq) => ({ seq, kind: "spend", amount: "1" }));
    server.on("GET /v1/entries", { status: 200, body: { entries, nextCursor: null } });
    const command = `"${process.execPath}" "${PROGRAM}" entries --json | head -n 1`;
    const options = { cwd: sandbox.path, env: { PATH: process.env["PATH"] } };
    const { stdout, stderr } = await promisify(execFile)("/bin/sh", ["-c", command], options);
    expect({ stdout, stderr }).toEqual({ stdout: "{\n", stderr: "" });
  });
});

test("a Node that cannot run TypeScript hands over to the one that comes with Bursar", async () => {
  const { code, stdout } = await bursar(["balance", "--json"], {
    ...here(),
    nodeOptions: ["--no-strip-types"],
  });
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual(BALANCE);
});
