import { startSandboxModel } from "@bursar/sandbox/model";
import { SANDBOX_PRICES } from "@bursar/server/sandbox/prices";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Running, startRunning } from "../../../server/test/running.ts";
import { bursar } from "../testing/bursar.ts";

let running: Running;
let model: Awaited<ReturnType<typeof startSandboxModel>>;
beforeAll(async () => {
  model = await startSandboxModel();
  const upstreams = [{ name: "sandbox", url: model.url, models: ["amazon.*"] }];
  running = await startRunning(undefined, 0, {}, { upstreams, ports: [0, 0, 0] });
  await running.engine.prices.put({ body: SANDBOX_PRICES, by: "test" });
  const people = [
    ["admin", "admin@admin", "admin"],
    ["user1", "User1@123", "user"],
  ] as const;
  for (const [username, password, role] of people)
    await running.identity.people.create({ username, password, role, email: `${username}@example.org` });
});
afterAll(async () => {
  await running.close();
  await model.close();
});

const run = (...args: string[]) => bursar(["credit-check", ...args], { folder: "/", environment: {} });
const services = () => {
  const [auth, accounting, chat] = running.urls;
  return ["--auth-url", auth!, "--accounting-url", accounting!, "--chat-url", chat!];
};

test("the documented flow passes on three ports, in its order, in lines 80 columns wide", async () => {
  const { code, stdout } = await run(...services());
  expect(code, stdout).toBe(0);
  const lines = stdout.split("\n");
  const headers = lines.filter(
    (_, index) => lines[index - 1] === "=".repeat(80) && lines[index + 1] === "=".repeat(80),
  );
  expect(headers).toEqual([
    "CHECKING SERVICES HEALTH",
    "CHECKING API VERSION",
    "AUTHENTICATING USER",
    "AUTHENTICATING ADMIN",
    "ALLOCATING CREDITS",
    "CHECKING CREDIT BALANCE",
    "TESTING CREDIT CHECK ENDPOINT",
    "TESTING INSUFFICIENT CREDITS SCENARIO",
    "TESTING NON-STREAMING CHAT",
    "TEST RESULTS",
  ]);
  expect(stdout).toContain("[SUCCESS] Credit check correctly identified insufficient credits");
  const findings = lines.filter((line) => line !== "" && !line.startsWith("=") && !headers.includes(line));
  for (const line of findings) expect(line).toMatch(/^\[(INFO|SUCCESS)\] /);
});

test("--json tells each test", async () => {
  const { code, stdout } = await run(...services(), "--json");
  const { passed, steps } = JSON.parse(stdout) as {
    passed: boolean;
    steps: { name: string; passed: boolean }[];
  };
  expect([code, passed, steps.length]).toEqual([0, true, 9]);
});

test("a service that is down, or a wrong password, ends it with exit 1 and an [ERROR] that says what", async () => {
  const down = await run(...services().toSpliced(3, 1, "http://127.0.0.1:1"));
  expect(down.code).toBe(1);
  expect(down.stdout).toMatch(/^\[ERROR\] Accounting service at http:\/\/127\.0\.0\.1:1 is not: /m);
  const wrong = await run(...services(), "--password", "not it at all");
  expect(wrong.code).toBe(1);
  expect(wrong.stdout).toContain(
    "[ERROR] Logging in as user1 failed: 401: The name or the password is wrong",
  );
});
