import { openIdentity } from "@bursar/identity/open";
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  decodeProtectedHeader,
  generateKeyPair,
  jwtVerify,
  SignJWT,
} from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Running, startRunning } from "./running.ts";

const password = "correct horse 9";
let running: Running;

beforeAll(async () => {
  running = await startRunning();
  for (const [username, role] of [
    ["ann", "user"],
    ["bob", "user"],
    ["root", "admin"],
  ] as const) {
    const email = `${username}@example.org`;
    await running.identity.people.create({ username, email, password, role, emailVerified: true });
  }
});
afterAll(() => running.close());

const logIn = async (username: string) =>
  (await running.call(null, "POST", "/api/auth/login", { username, password })).body;
const me = (token: string) => running.call(token, "GET", "/api/auth/me");

test("any service can check an access token with the published keys alone", async () => {
  const { accessToken, user } = await logIn("ann");
  for (const path of ["/api/auth/.well-known/jwks.json", "/.well-known/jwks.json"]) {
    const keys = createRemoteJWKSet(new URL(running.url + path));
    const options = {
      issuer: running.url,
      audience: "bursar",
      currentDate: new Date(running.clock.time / 1000),
    };
    const { payload } = await jwtVerify(accessToken, keys, options);
    expect(payload.sub).toBe(user.id);
    expect(payload.exp! - payload.iat!).toBe(900);
  }
  const { keys } = (await running.call(null, "GET", "/.well-known/jwks.json")).body;
  for (const key of keys)
    expect(Object.keys(key).toSorted()).toEqual(["alg", "crv", "kid", "kty", "use", "x"]);
});

test("a token that was changed, signed by others, or not signed at all opens nothing", async () => {
  const { accessToken } = await logIn("ann");
  const [header, payload, signature] = accessToken.split(".") as [string, string, string];
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
  const promoted = Buffer.from(JSON.stringify({ ...claims, role: "admin" })).toString("base64url");
  const unsigned = Buffer.from(JSON.stringify({ alg: "none", typ: "at+jwt" })).toString("base64url");
  const { privateKey } = await generateKeyPair("EdDSA", { crv: "Ed25519" });
  const sign = (kid: string, facts: object, type = "at+jwt") =>
    new SignJWT({ ...claims, ...facts })
      .setProtectedHeader({ alg: "EdDSA", kid, typ: type })
      .sign(privateKey);
  const { kid } = decodeProtectedHeader(accessToken) as { kid: string };
  const forged = [
    `${header}.${promoted}.${signature}`,
    `${unsigned}.${promoted}.`,
    `${header}.${payload}.${signature.slice(0, -4)}AAAA`,
    await sign(kid, {}),
    await sign("another", {}),
    "eyJhbGciOiJFZERTQSJ9.e30.x",
  ];
  for (const token of forged) {
    expect((await me(token)).status, token).toBe(401);
    expect((await running.call(token, "GET", "/v1/balance")).status).toBe(401);
  }
});

test("a token of another issuer, audience or kind is none of ours, though our key has signed it", async () => {
  const { key, kid } = await running.identity.keys.signer();
  const { accessToken } = await logIn("ann");
  const claims = JSON.parse(Buffer.from(accessToken.split(".")[1], "base64url").toString());
  const sign = (facts: object, typ = "at+jwt") =>
    new SignJWT({ ...claims, ...facts }).setProtectedHeader({ alg: "EdDSA", kid, typ }).sign(key);
  expect((await me(await sign({}))).status).toBe(200);
  expect((await me(await sign({ iss: "https://elsewhere.example" }))).status).toBe(401);
  expect((await me(await sign({ aud: "elsewhere" }))).status).toBe(401);
  expect((await me(await sign({ exp: undefined }))).status).toBe(401);
  expect((await me(await sign({ sid: undefined }))).status).toBe(401);
  expect((await me(await sign({ role: "admin" }))).body.user.role).toBe("user");
  expect((await me(await sign({}, "JWT"))).status).toBe(401);
});

test("after a rotation new tokens have the new key, older tokens work on, and a key goes when its tokens are dead", async () => {
  const before = (await logIn("ann")).accessToken;
  const old = decodeProtectedHeader(before).kid;
  const root = (await logIn("root")).accessToken;
  const rotated = await running.call(root, "POST", "/api/auth/admin/keys/rotate", {});
  expect(rotated.status).toBe(201);
  const after = (await logIn("ann")).accessToken;
  expect(decodeProtectedHeader(after).kid).toBe(rotated.body.kid);
  expect([(await me(before)).status, (await me(after)).status]).toEqual([200, 200]);
  const kids = async () =>
    (await running.call(null, "GET", "/.well-known/jwks.json")).body.keys.map(
      (key: { kid: string }) => key.kid,
    );
  expect(await kids()).toContain(old);
  running.clock.time = (running.clock.time + 25 * 3600 * 1e6) as typeof running.clock.time;
  expect(await kids()).toEqual([rotated.body.kid]);
  expect((await me(before)).status).toBe(401);
});

test("another process takes the same keys; one with another secret makes its own and reads nobody's", async () => {
  const mail = { send: () => Promise.resolve() };
  const settings = { url: () => running.url, verifyEmail: false, oidc: null };
  const secret = "a secret of this test alone, 0123456789";
  const twin = openIdentity({ ...running.engine, mail }, { ...settings, secret });
  const { accessToken } = await logIn("ann");
  const headers = new Headers({ authorization: `Bearer ${accessToken}` });
  expect((await twin.authenticate(headers)).kind).toBe("authenticated");
  expect((await twin.keys.signer()).kid).toBe(decodeProtectedHeader(accessToken).kid);
  const changed = openIdentity({ ...running.engine, mail }, { ...settings, secret: `${secret}, changed` });
  expect((await changed.keys.signer()).kid).not.toBe(decodeProtectedHeader(accessToken).kid);
  const { rows } = await running.engine.pool.query(
    "select encode(private_key, 'escape') as text from identity.signing_keys",
  );
  for (const { text } of rows) expect(text).not.toContain('"d"');
  expect(createLocalJWKSet(await changed.keys.jwks())).toBeTypeOf("function");
});

test("another process's new key counts also after a clock that was ahead is set right", async () => {
  const mail = { send: () => Promise.resolve() };
  const settings = { url: () => running.url, verifyEmail: false, oidc: null };
  const secret = "a secret of this test alone, 0123456789";
  const twin = openIdentity({ ...running.engine, mail }, { ...settings, secret });
  await twin.keys.signer();
  const hour = 3600 * 1e6;
  running.clock.time = (running.clock.time - hour) as typeof running.clock.time;
  await running.identity.keys.rotate();
  const { accessToken } = await logIn("ann");
  const headers = new Headers({ authorization: `Bearer ${accessToken}` });
  expect((await twin.authenticate(headers)).kind).toBe("authenticated");
  running.clock.time = (running.clock.time + hour) as typeof running.clock.time;
});

test("a new role holds at once, for tokens that were made before it, too", async () => {
  const { accessToken, user } = await logIn("bob");
  const root = (await logIn("root")).accessToken;
  const admin = () => running.call(accessToken, "GET", "/api/auth/admin/users");
  const setRole = (role: string) =>
    running.call(root, "PUT", `/api/auth/admin/users/${user.id}/role`, { role });
  expect((await admin()).status).toBe(403);
  await setRole("admin");
  expect((await admin()).status).toBe(200);
  await setRole("enduser");
  expect((await admin()).status).toBe(403);
  expect((await me(accessToken)).body.user.role).toBe("enduser");
});

test("whoever is signed out, by time, too, disabled or deleted does nothing more by an access token", async () => {
  const root = (await logIn("root")).accessToken;
  const admin = (method: string, path: string, body?: object) =>
    running.call(root, method, `/api/auth/admin/users${path}`, body);
  const ends: Record<string, (username: string, token: string) => Promise<unknown>> = {
    logout: (_, token) => running.call(token, "POST", "/api/auth/logout"),
    everywhere: (_, token) => running.call(token, "POST", "/api/auth/logout-all"),
    disabled: (username) => admin("PUT", `/${username}/disabled`, { disabled: true }),
    deleted: (username) => admin("DELETE", `/${username}`),
    expired: (username) =>
      running.engine.pool.query(
        `update identity.sessions s set expires_at = now() from identity.people p
         where p.id = s.user_id and p.username = $1`,
        [username],
      ),
  };
  for (const [end, by] of Object.entries(ends)) {
    const username = `gone-${end}`;
    const facts = { username, email: `${username}@example.org`, password, role: "admin" } as const;
    await running.identity.people.create({ ...facts, emailVerified: true });
    const token = (await logIn(username)).accessToken;
    expect((await me(token)).status).toBe(200);
    await by(username, token);
    const tries = [
      ["GET", "/v1/balance"],
      ["POST", "/v1/subscription", { plan: "orbit", currency: "eur" }],
      ["POST", "/v1/organizations", { name: "Nobody's" }],
      ["POST", "/v1/chat/completions", { model: "small", messages: [] }],
      ["POST", "/api/credits/deduct", { credits: 1 }],
      ["POST", "/api/auth/admin/users", { username: `friend-of-${end}`, role: "admin" }],
    ] as const;
    for (const [method, path, body] of tries)
      expect([end, path, (await running.call(token, method, path, body)).status]).toEqual([end, path, 401]);
  }
});

test("REST v1 gives people their own account, and administrators any that they name", async () => {
  const [ann, bob, root] = [await logIn("ann"), await logIn("bob"), await logIn("root")];
  const of = ann.user.accountId;
  expect((await running.call(ann.accessToken, "GET", "/v1/balance")).body.accountId).toBe(of);
  expect((await running.call(bob.accessToken, "GET", `/v1/balance?accountId=${of}`)).status).toBe(403);
  expect((await running.call(ann.accessToken, "GET", "/v1/accounts")).status).toBe(403);
  const grant = { id: "grant_of_root", accountId: of, amount: "5", source: "purchase" };
  expect((await running.call(ann.accessToken, "POST", "/v1/grants", grant)).status).toBe(403);
  expect((await running.call(root.accessToken, "POST", "/v1/grants", grant)).status).toBe(201);
  const spend = { id: "spent_by_ann", amount: "2" };
  expect((await running.call(ann.accessToken, "POST", "/v1/spend", spend)).status).toBe(200);
  const { rows } = await running.engine.pool.query(
    "select by from entries where account_id = $1 order by seq",
    [of],
  );
  expect(rows.map(({ by }) => by)).toEqual([`user:${root.user.id}`, `user:${ann.user.id}`]);
  expect((await running.call(root.accessToken, "GET", "/v1/balance")).body.accountId).toBe(
    root.user.accountId,
  );
});

test("what has expired is cleared away, and nothing else", async () => {
  const [old, young] = [await logIn("ann"), await logIn("bob")];
  const { pool } = running.engine;
  const sid = (token: string) => JSON.parse(Buffer.from(token.split(".")[1]!, "base64url").toString()).sid;
  const past = "now() - interval '1 second'";
  await pool.query(`update identity.sessions set expires_at = ${past} where id = $1`, [sid(old.accessToken)]);
  for (let guess = 0; guess < 2; guess++) {
    const body = { username: "root", password: "not it at all" };
    expect((await running.call(null, "POST", "/api/auth/login", body)).status).toBe(401);
    if (guess === 0) await pool.query("update identity.attempts set expire = 1");
  }
  await running.call(null, "POST", "/api/auth/forgot-password", { email: "ann@example.org" });
  await pool.query(`update identity.verifications set expires_at = ${past}`);
  await running.call(null, "POST", "/api/auth/forgot-password", { email: "bob@example.org" });
  await running.identity.sweep();
  const count = async (table: string) =>
    (await pool.query<{ count: number }>(`select count(*)::int4 as count from identity.${table}`)).rows[0]!
      .count;
  expect(await count("verifications")).toBe(1);
  expect(await count("attempts")).toBeGreaterThan(0);
  expect((await pool.query("select from identity.sessions where expires_at < now()")).rowCount).toBe(0);
  const refresh = (refreshToken: string) => running.call(null, "POST", "/api/auth/refresh", { refreshToken });
  expect((await refresh(old.refreshToken)).status).toBe(401);
  expect((await refresh(young.refreshToken)).status).toBe(200);
});
