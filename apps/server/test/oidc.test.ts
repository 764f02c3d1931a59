/** Signing in through the sandbox's OpenID provider, by the redirects and forms that a browser would follow. */

import { type SandboxOidc, startSandboxOidc } from "@bursar/sandbox/oidc";
import { afterAll, beforeAll, expect, it } from "vitest";
import { OIDC_CLIENT, registerAtOidc } from "../src/sandbox/outside.ts";
import { type Running, startRunning } from "./running.ts";

let oidc: SandboxOidc;
let running: Running;

beforeAll(async () => {
  oidc = await startSandboxOidc();
  const settings = { issuer: oidc.url, clientId: OIDC_CLIENT, clientSecret: null };
  running = await startRunning(undefined, 0, { oidc: settings });
  registerAtOidc(oidc, running.url);
});

afterAll(async () => {
  await running.close();
  await oidc.close();
});

/** Follows redirects between both servers, with each one's cookies. */
function browser() {
  const jars = new Map<string, Map<string, string>>();
  const go = async (url: string, init: RequestInit = {}): Promise<{ url: string; response: Response }> => {
    const { origin } = new URL(url);
    const jar = jars.get(origin) ?? new Map<string, string>();
    jars.set(origin, jar);
    const headers = new Headers(init.headers);
    headers.set("cookie", [...jar].map(([name, value]) => `${name}=${value}`).join("; "));
    const response = await fetch(url, { ...init, headers, redirect: "manual" });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie)!;
      jar.set(name!, value!);
    }
    const location = response.headers.get("location");
    return location === null ? { url, response } : go(new URL(location, url).href);
  };
  return go;
}

const form = (fields: Record<string, string>): RequestInit => ({
  method: "POST",
  body: new URLSearchParams(fields),
});

/** From Bursar to the provider's first page. */
async function begin(go: ReturnType<typeof browser>): Promise<{ url: string }> {
  const login = await go(`${running.url}/api/identity/sign-in/social`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: running.url },
    body: JSON.stringify({ provider: "oidc", callbackURL: "/health", errorCallbackURL: "/health" }),
  });
  expect(await login.response.text()).toContain("Who do you want to be?");
  return login;
}

async function signIn(user: string) {
  const go = browser();
  const login = await begin(go);
  const consent = await go(login.url, form({ user }));
  const back = await go(consent.url, form({ consent: "yes" }));
  return { go, back: new URL(back.url), me: await go(`${running.url}/api/auth/me`) };
}

it("makes a person of whoever the provider vouches for, and finds them again", async () => {
  const first = await signIn("zoe");
  expect(first.back.pathname + first.back.search).toBe("/health");
  const me = (await first.me.response.json()) as { user: { id: string; email: string } };
  expect(me.user.email).toBe("zoe@sandbox.test");
  const again = (await (await signIn("zoe")).me.response.json()) as typeof me;
  expect(again.user.id).toBe(me.user.id);
});

it("signs nobody in who does not agree", async () => {
  const go = browser();
  const login = await begin(go);
  const consent = await go(login.url, form({ user: "alan" }));
  const back = await go(consent.url, form({ consent: "no" }));
  expect(new URL(back.url).search).toContain("error=access_denied");
  expect((await go(`${running.url}/api/auth/me`)).response.status).toBe(401);
});

it("deletes somebody without a password only by a sign-in of the last minutes, which no device stands for", async () => {
  const { go, me } = await signIn("grace");
  const person = ((await me.response.json()) as { user: { id: string } }).user;
  const json = (body: object): RequestInit => ({
    ...{ method: "POST", body: JSON.stringify(body) },
    headers: { "content-type": "application/json", origin: running.url },
  });
  const ask = async (path: string, body: object) => {
    const { response } = await go(`${running.url}${path}`, json(body));
    return (await response.json()) as Record<string, string>;
  };
  const client_id = "bursar-cli";
  const code = await ask("/api/identity/device/code", { client_id });
  const user_code = code["user_code"]!;
  await go(`${running.url}/device?user_code=${user_code}`);
  await go(`${running.url}/device/decide`, {
    ...form({ user_code, decision: "approve" }),
    headers: { origin: running.url },
  });
  const grant_type = "urn:ietf:params:oauth:grant-type:device_code";
  const device = await ask("/api/identity/device/token", {
    ...{ client_id, grant_type, device_code: code["device_code"] },
  });
  const leave = () => running.call(device["access_token"]!, "POST", "/v1/deletion", { confirm: "0" });
  const grow = () =>
    running.engine.pool.query(
      `update identity.sessions s set created_at = now() - interval '11 minutes'
       where user_id = $1 and not exists (select from identity.refresh_tokens r where r.session_id = s.id)`,
      [person.id],
    );
  expect((await running.call(device["access_token"]!, "GET", "/v1/deletion")).body).toMatchObject({
    proof: { password: false, totpCode: false },
  });
  await grow();
  expect((await ask("/v1/deletion", { confirm: "0" }))["error"]).toMatchObject({ code: "sign_in_required" });
  const old = await leave();
  expect([old.status, old.body.error.code]).toEqual([401, "sign_in_required"]);
  await signIn("grace");
  expect((await leave()).body).toMatchObject({ state: "deleted" });
  expect(await running.identity.people.find(person.id)).toBeNull();
});
