import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type Browser, openBrowser } from "./browser.ts";
import { type Running, startRunning } from "./running.ts";

const password = "correct horse 9";
let running: Running;

beforeAll(async () => {
  running = await startRunning();
  for (const username of ["ann", "bob"]) {
    const facts = { username, email: `${username}@example.org`, name: `<b>${username}</b>` };
    await running.identity.people.create({ ...facts, password, emailVerified: true });
  }
});
afterAll(() => running.close());

const call = (path: string, body: unknown) =>
  running.call(null, "POST", `/api/identity${path}`, body, { "content-type": "application/json" });
const begin = async () => (await call("/device/code", { client_id: "bursar-cli" })).body;
const poll = (deviceCode: string) =>
  call("/device/token", {
    grant_type: "urn:ietf:params:oauth:grant-type:device_code",
    device_code: deviceCode,
    client_id: "bursar-cli",
  });
/** The device may ask every five seconds; here it has always waited. */
const patience = () => running.engine.pool.query("update identity.device_codes set last_polled_at = null");

async function signIn(browser: Browser, code: string, named = "ann") {
  const answer = await browser.submit("/device/sign-in", { named, password, user_code: code });
  return browser.follow(answer);
}

test("a person who signs in on the page lets the CLI in, once, with tokens that refresh", async () => {
  const { device_code, user_code, verification_uri_complete, interval } = await begin();
  expect(verification_uri_complete).toBe(`${running.url}/device?user_code=${user_code}`);
  expect(interval).toBe(5);
  expect((await poll(device_code)).body.error).toBe("authorization_pending");
  expect((await poll(device_code)).body.error).toBe("slow_down");
  const browser = openBrowser(running.url);
  expect((await browser.get(verification_uri_complete)).text).toContain("Sign in to let a device in");
  const asked = await signIn(browser, user_code);
  expect(asked.text).toContain(`<code>${user_code}</code>`);
  await patience();
  expect((await poll(device_code)).body.error).toBe("authorization_pending");
  const done = await browser.submit("/device/decide", { user_code, decision: "approve" });
  expect(done.text).toContain("The device is signed in");
  await patience();
  const { status, body } = await poll(device_code);
  expect([status, body.token_type, body.expires_in]).toEqual([200, "Bearer", 900]);
  expect((await running.call(body.access_token, "GET", "/api/auth/me")).body.user.username).toBe("ann");
  const refreshed = await running.call(null, "POST", "/api/auth/refresh", {
    refreshToken: body.refresh_token,
  });
  expect(refreshed.status).toBe(200);
  expect((await poll(device_code)).body.error).toBe("invalid_grant");
});

const unheard = { currentPassword: password, newPassword: password };
test.each([
  ["a changed password", "/api/identity/change-password", unheard],
  ["logging out everywhere", "/api/auth/logout-all", {}],
  ["revoking all sessions", "/api/identity/revoke-sessions", {}],
  ["revoking all other sessions", "/api/identity/revoke-other-sessions", {}],
])("%s turns a device away that was approved and has not come yet", async (_, path, body) => {
  const { device_code, user_code } = await begin();
  const [thief, owner] = [openBrowser(running.url), openBrowser(running.url)];
  await signIn(thief, user_code);
  await thief.submit("/device/decide", { user_code, decision: "approve" });
  await signIn(owner, "");
  expect((await owner.post(path, body)).status).toBe(200);
  expect((await poll(device_code)).body.error).toBe("invalid_grant");
});

test("a device that is approved while all sessions are being revoked is turned away, too", async () => {
  const [thief, owner] = [openBrowser(running.url), openBrowser(running.url)];
  for (const browser of [thief, owner]) await signIn(browser, "");
  const holding = await running.engine.pool.connect();
  await holding.query("begin");
  await holding.query("select from identity.sessions for update");
  const revoked = owner.post("/api/identity/revoke-sessions", {});
  const waiting =
    "select count(*)::int4 as count from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))";
  const waits = async () => expect((await holding.query(waiting)).rows).not.toEqual([{ count: 0 }]);
  await vi.waitFor(waits, 10_000);
  const { device_code, user_code, verification_uri_complete } = await begin();
  await thief.get(verification_uri_complete);
  const approved = await thief.submit("/device/decide", { user_code, decision: "approve" });
  expect(approved.text).toContain("The device is signed in");
  await holding.query("commit");
  holding.release();
  expect((await revoked).status).toBe(200);
  expect((await poll(device_code)).body.error).toBe("invalid_grant");
});

test("what is denied stays denied", async () => {
  const { device_code, user_code } = await begin();
  const browser = openBrowser(running.url);
  await signIn(browser, user_code);
  await browser.submit("/device/decide", { user_code, decision: "deny" });
  expect((await poll(device_code)).body.error).toBe("access_denied");
  await patience();
  expect((await poll(device_code)).body.error).toBe("invalid_grant");
});

test("another page cannot approve, sign in or sign out for somebody", async () => {
  const { device_code, user_code } = await begin();
  const browser = openBrowser(running.url);
  await signIn(browser, user_code);
  const foreign = { origin: "https://evil.example" };
  for (const path of ["decide", "sign-in", "sign-out", "second-step", "oidc"]) {
    const form = { user_code, decision: "approve", named: "ann", password };
    expect((await browser.submit(`/device/${path}`, form, foreign)).status, path).toBe(403);
    expect((await openBrowser(running.url).submit(`/device/${path}`, form, foreign)).status, path).toBe(403);
  }
  expect((await poll(device_code)).body.error).toBe("authorization_pending");
});

test("a code that somebody has opened is theirs alone", async () => {
  const { user_code } = await begin();
  await signIn(openBrowser(running.url), user_code);
  const other = openBrowser(running.url);
  expect((await signIn(other, user_code, "bob")).text).not.toContain("Approve");
  const stolen = await other.submit("/device/decide", { user_code, decision: "approve" });
  expect(stolen.text).not.toContain("The device is signed in");
});

test("what is typed comes back as text, never as markup, and no script can run", async () => {
  const browser = openBrowser(running.url);
  const code = '"><script>alert(1)</script>';
  for (const visit of [
    await browser.get(`/device?user_code=${encodeURIComponent(code)}`),
    await browser.submit("/device/sign-in", { named: code, password: "x", user_code: code }),
    await signIn(browser, code),
    await browser.get(`/reset-password?token=${encodeURIComponent(code)}`),
  ]) {
    expect(visit.text).not.toContain("<script>alert");
    expect(visit.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(visit.headers.get("x-frame-options")).toBe("DENY");
  }
});

test("a wrong password, an unknown code and another program are refused in words", async () => {
  const browser = openBrowser(running.url);
  const wrong = await browser.submit("/device/sign-in", { named: "ann", password: "not it", user_code: "X" });
  expect([wrong.status, wrong.text.includes('role="alert"')]).toEqual([400, true]);
  const unknown = await signIn(browser, "NOSUCHCODE");
  expect([unknown.status, unknown.text.includes('role="alert"')]).toEqual([400, true]);
  expect((await call("/device/code", { client_id: "another" })).body.error).toBe("invalid_client");
});
