import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type SandboxOidc, startSandboxOidc } from "@bursar/sandbox/oidc";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Browser, openBrowser } from "./browser.ts";
import { type Running, startRunning } from "./running.ts";

let oidc: SandboxOidc;
let running: Running;

beforeAll(async () => {
  oidc = await startSandboxOidc();
  running = await startRunning(undefined, 0, {
    oidc: { issuer: oidc.url, clientId: "bursar", clientSecret: null },
  });
  oidc.register({ id: "bursar", redirectUris: [`${running.url}/api/oauth/callback`] });
});
afterAll(async () => {
  await running.close();
  await oidc.close();
});

/** Up to the provider's answer, which leads back to us and is not followed yet. */
async function consent(browser: Browser, user: string, url = running.url) {
  const begun = await browser.post("/api/identity/sign-in/social", {
    provider: "oidc",
    callbackURL: "/api/auth/me",
  });
  expect(begun.status).toBe(200);
  const asked = new URL(begun.body.url);
  const login = await browser.follow(await browser.get(asked.href));
  expect(login.text).toContain("Who do you want to be?");
  const agree = await browser.follow(await browser.submit(login.url, { user }));
  expect(agree.text).toContain("Do you agree?");
  let back = await browser.submit(agree.url, { consent: "yes" });
  while (!back.headers.get("location")!.startsWith(url)) {
    back = await browser.get(new URL(back.headers.get("location")!, back.url).href);
  }
  return { asked, callback: back.headers.get("location")! };
}

test("whoever signs in elsewhere comes back as one and the same person, with an account of their own", async () => {
  const ids = [];
  for (let visit = 0; visit < 2; visit++) {
    const browser = openBrowser(running.url);
    const { asked, callback } = await consent(browser, "grace@sandbox.test");
    expect(asked.searchParams.get("code_challenge_method")).toBe("S256");
    expect(asked.searchParams.get("redirect_uri")).toBe(`${running.url}/api/oauth/callback`);
    expect(new URL(callback).pathname).toBe("/api/oauth/callback");
    const arrived = await browser.follow(await browser.get(callback));
    expect(arrived.body.user).toMatchObject({
      email: "grace@sandbox.test",
      name: "Grace Hopper",
      emailVerified: true,
    });
    expect(arrived.body.user.accountId).toBe(arrived.body.user.id.replace("user_", "acct_"));
    expect((await browser.get("/v1/balance")).status).toBe(200);
    ids.push(arrived.body.user.id);
  }
  expect(new Set(ids).size).toBe(1);
});

test("an answer of the provider is good once, and only for the browser that asked", async () => {
  const browser = openBrowser(running.url);
  const { callback } = await consent(browser, "alan@sandbox.test");
  const thief = openBrowser(running.url);
  await thief.follow(await thief.get(callback));
  expect((await thief.get("/api/auth/me")).status).toBe(401);
  const changed = new URL(callback);
  changed.searchParams.set("state", "another");
  await browser.get(changed.href);
  expect((await browser.get("/api/auth/me")).status).toBe(401);
  const other = openBrowser(running.url);
  const second = await consent(other, "alan@sandbox.test");
  await other.follow(await other.get(second.callback));
  expect((await other.get("/api/auth/me")).body.user.email).toBe("alan@sandbox.test");
  other.jarOf().delete("bursar.session_token");
  await other.follow(await other.get(second.callback));
  expect((await other.get("/api/auth/me")).status).toBe(401);
});

test("a client with a secret signs in too, and with a wrong one nobody", async () => {
  for (const [sent, isGood] of [
    ["s3cret, with % and +", true],
    ["another", false],
  ] as const) {
    const settings = { issuer: oidc.url, clientId: `confidential-${isGood}`, clientSecret: sent };
    const other = await startRunning(undefined, 0, { oidc: settings });
    try {
      const redirectUris = [`${other.url}/api/oauth/callback`];
      oidc.register({ id: settings.clientId, secret: "s3cret, with % and +", redirectUris });
      const browser = openBrowser(other.url);
      const { callback } = await consent(browser, "grace@sandbox.test", other.url);
      await browser.follow(await browser.get(callback));
      expect((await browser.get("/api/auth/me")).status).toBe(isGood ? 200 : 401);
    } finally {
      await other.close();
    }
  }
});

test("the page for devices leads to the provider too", async () => {
  const browser = openBrowser(running.url);
  expect((await browser.get("/device?user_code=X")).text).toContain("Sign in with your organization");
  const sent = await browser.submit("/device/oidc", { user_code: "X" });
  expect(sent.status).toBe(303);
  expect(sent.headers.get("location")).toContain(`${oidc.url}/auth?`);
});

test("an address at a provider is no proof of being our person of that address", async () => {
  const email = "ada@sandbox.test";
  const password = "correct horse 9";
  const own = await running.identity.people.create({ email, password, emailVerified: true });
  expect(own.kind).toBe("created");
  const browser = openBrowser(running.url);
  const { callback } = await consent(browser, email);
  const answer = await browser.get(callback);
  expect(answer.headers.get("location")).toContain("account_not_linked");
  expect((await browser.get("/api/auth/me")).status).toBe(401);
});

test("a provider that hangs or is gone keeps nobody from signing in by password", async () => {
  const hanging = createServer(() => undefined);
  await new Promise<void>((resolve) => {
    hanging.listen(0, "127.0.0.1", resolve);
  });
  const { port } = hanging.address() as AddressInfo;
  const settings = { oidc: { issuer: `http://127.0.0.1:${port}`, clientId: "bursar", clientSecret: null } };
  const other = await startRunning(undefined, 0, settings);
  try {
    const password = "correct horse 9";
    const body = { email: "still@example.org", password };
    expect((await other.call(null, "POST", "/api/auth/signup", body)).status).toBe(201);
    expect((await other.call(null, "POST", "/api/auth/login", body)).status).toBe(200);
    const browser = openBrowser(other.url);
    const elsewhere = await browser.post("/api/identity/sign-in/social", {
      provider: "oidc",
      callbackURL: "/",
    });
    expect(elsewhere.status).toBe(404);
  } finally {
    hanging.closeAllConnections();
    hanging.close();
    await other.close();
  }
});
