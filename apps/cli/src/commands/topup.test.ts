import { refusalBody, startScriptedServer } from "@bursar/client/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bursar } from "../testing/bursar.ts";

let server: Awaited<ReturnType<typeof startScriptedServer>>;
beforeAll(async () => {
  server = await startScriptedServer();
});
afterAll(() => server.close());

const run = (...words: string[]) =>
  bursar(words, { environment: { BURSAR_URL: server.url, BURSAR_API_KEY: "k" } });

test("a missing code names the option, and a second step that is off the page that switches it on", async () => {
  server.on(
    "PUT /v1/topup-policy",
    { status: 401, body: refusalBody("totp_refused", { type: "authentication_error", param: "totpCode" }) },
    { status: 400, body: refusalBody("totp_not_enabled", { type: "invalid_request_error" }) },
  );
  const missing = await run("topup", "set", "--threshold", "500");
  expect([missing.code, missing.stderr.includes("Give the code with --totp <code>.")]).toEqual([4, true]);
  const off = await run("topup", "set", "--threshold", "500");
  expect([off.code, off.stderr.includes(`Switch it on in a browser: ${server.url}/second-factor`)]).toEqual([
    2,
    true,
  ]);
});

test("fields that a policy lacks are named by their options", async () => {
  server.on("GET /v1/topup-policy/preview", {
    status: 422,
    body: refusalBody("policy_refused", { type: "invalid_request_error", param: "mode" }),
  });
  const { code, stderr } = await run("topup", "preview");
  expect([code, stderr.includes("Give --target <credits>, or --amount <credits>.")]).toEqual([2, true]);
});
