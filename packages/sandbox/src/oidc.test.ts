import { createHash, createPublicKey, type JsonWebKey, randomBytes, verify } from "node:crypto";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type SandboxClient, type SandboxOidc, startSandboxOidc } from "./oidc.ts";

const CALLBACK = "http://127.0.0.1:3000/api/oauth/callback";
const PUBLIC: SandboxClient = { id: "bursar", redirectUris: [CALLBACK] };
const SECRET: SandboxClient = { id: "with-secret", secret: "s3cret", redirectUris: [CALLBACK] };

let oidc: SandboxOidc;

beforeEach(async () => {
  oidc = await startSandboxOidc({ clients: [PUBLIC, SECRET] });
});

afterEach(() => oidc.close());

/** A browser without scripts: follows redirects within the provider, keeps cookies, posts forms. */
function browser() {
  const cookies = new Map<string, string>();
  const go = async (
    url: string,
    form?: Record<string, string>,
  ): Promise<{ url: string; response: Response }> => {
    const response = await fetch(url, {
      redirect: "manual",
      method: form === undefined ? "GET" : "POST",
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
      ...(form === undefined ? {} : { body: new URLSearchParams(form) }),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie)!;
      cookies.set(name!, value!);
    }
    const location = response.headers.get("location");
    if (location === null) return { url, response };
    const next = new URL(location, url).href;
    return next.startsWith(oidc.url) ? go(next) : { url: next, response };
  };
  return go;
}

const verifier = randomBytes(32).toString("base64url");

function question(client: string, changes: Record<string, string | null> = {}): string {
  const fields = {
    client_id: client,
    response_type: "code",
    redirect_uri: CALLBACK,
    scope: "openid profile email",
    state: "state-1",
    nonce: "nonce-1",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
    ...changes,
  };
  const kept = Object.entries(fields).filter((pair): pair is [string, string] => pair[1] !== null);
  return `${oidc.url}/auth?${new URLSearchParams(kept).toString()}`;
}

async function signIn(user: string, client = PUBLIC.id): Promise<URL> {
  const go = browser();
  const login = await go(question(client));
  expect(await login.response.text()).toContain("Who do you want to be?");
  const consent = await go(login.url, { user });
  expect(await consent.response.text()).toContain("Do you agree?");
  const back = await go(consent.url, { consent: "yes" });
  expect(back.url.startsWith(`${CALLBACK}?`)).toBe(true);
  return new URL(back.url);
}

async function redeem(
  code: string,
  fields: Record<string, string> = {},
  headers: Record<string, string> = {},
) {
  const body = { grant_type: "authorization_code", code, redirect_uri: CALLBACK, client_id: PUBLIC.id };
  const response = await fetch(`${oidc.url}/token`, {
    method: "POST",
    headers,
    body: new URLSearchParams({ ...body, code_verifier: verifier, ...fields }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, string> };
}

const decoded = (part: string | undefined) =>
  JSON.parse(Buffer.from(part!, "base64url").toString("utf8")) as Record<string, unknown>;

it("says in its discovery what it can", async () => {
  const answer = await fetch(`${oidc.url}/.well-known/openid-configuration`);
  expect(await answer.json()).toMatchObject({
    issuer: oidc.url,
    authorization_endpoint: `${oidc.url}/auth`,
    token_endpoint: `${oidc.url}/token`,
    code_challenge_methods_supported: ["S256"],
  });
});

it("gives a code for a person, and for the code a signed ID token and userinfo", async () => {
  const back = await signIn("Grace@sandbox.test");
  expect([back.searchParams.get("state"), back.searchParams.get("iss")]).toEqual(["state-1", oidc.url]);
  const { status, body } = await redeem(back.searchParams.get("code")!);
  expect(status).toBe(200);
  const [header, payload, signature] = body["id_token"]!.split(".");
  const jwks = (await (await fetch(`${oidc.url}/jwks`)).json()) as { keys: JsonWebKey[] };
  const key = createPublicKey({ key: jwks.keys[0]!, format: "jwk" });
  const signed = Buffer.from(`${header}.${payload}`);
  expect(verify("sha256", signed, key, Buffer.from(signature!, "base64url"))).toBe(true);
  const person = {
    sub: "sandbox:grace@sandbox.test",
    email: "grace@sandbox.test",
    email_verified: true,
    name: "Grace Hopper",
    preferred_username: "grace",
  };
  expect(decoded(payload)).toMatchObject({ ...person, iss: oidc.url, aud: "bursar", nonce: "nonce-1" });
  const headers = { authorization: `Bearer ${body["access_token"]}` };
  expect(await (await fetch(`${oidc.url}/me`, { headers })).json()).toEqual(person);
});

it("lets somebody new be typed, and tells whose address is not verified", async () => {
  const payloadFor = async (user: string) => {
    const back = await signIn(user);
    const { body } = await redeem(back.searchParams.get("code")!);
    return decoded(body["id_token"]!.split(".")[1]);
  };
  expect(await payloadFor("zoe")).toMatchObject({
    email: "zoe@sandbox.test",
    email_verified: true,
    name: "zoe",
  });
  expect(await payloadFor("mallory")).toMatchObject({ email_verified: false });
});

it("takes a code once, and only with the verifier that belongs to it", async () => {
  const wrong = (await signIn("ada")).searchParams.get("code")!;
  expect((await redeem(wrong, { code_verifier: "w".repeat(43) })).body["error"]).toBe("invalid_grant");
  const right = (await signIn("ada")).searchParams.get("code")!;
  expect((await redeem(right)).status).toBe(200);
  expect((await redeem(right)).body["error"]).toBe("invalid_grant");
});

it("knows a confidential client by its secret alone", async () => {
  const code = (await signIn("ada", SECRET.id)).searchParams.get("code")!;
  const basic = (secret: string) => ({
    authorization: `Basic ${Buffer.from(`${SECRET.id}:${secret}`).toString("base64")}`,
  });
  expect((await redeem(code, { client_id: SECRET.id }, basic("wrong"))).body["error"]).toBe("invalid_client");
  expect((await redeem(code, { client_id: SECRET.id }, basic("s3cret"))).status).toBe(200);
});

it("goes back with access_denied when the person does not agree", async () => {
  const go = browser();
  const login = await go(question(PUBLIC.id));
  const consent = await go(login.url, { user: "ada" });
  const back = new URL((await go(consent.url, { consent: "no" })).url);
  expect(back.href.startsWith(CALLBACK)).toBe(true);
  expect(back.searchParams.get("error")).toBe("access_denied");
});

it.each<[string, Record<string, string | null>, string]>([
  ["no PKCE", { code_challenge: null, code_challenge_method: null }, "requires PKCE"],
  ["an unknown client", { client_id: "nobody" }, "client is invalid"],
  ["another address to go back to", { redirect_uri: "http://evil.test/" }, "redirect_uri"],
])("refuses %s", async (_, changes, message) => {
  const { url, response } = await browser()(question(PUBLIC.id, changes));
  const told = url.startsWith(CALLBACK)
    ? new URL(url).searchParams.get("error_description")
    : await response.text();
  expect(told).toContain(message);
});

it("asks again for a user that is none, and shows nothing of it as markup", async () => {
  const go = browser();
  const login = await go(question(PUBLIC.id));
  const again = await go(login.url, { user: "<script>" });
  expect(again.response.status).toBe(400);
  const text = await again.response.text();
  expect(text).toContain("user: must be a name without spaces, or an e-mail address");
  expect(text).not.toContain("<script");
});

it("takes a client that learns its address late", async () => {
  oidc.register({ id: "late", redirectUris: [CALLBACK] });
  expect((await signIn("ada", "late")).searchParams.has("code")).toBe(true);
});
