/** Who may call what. The table is walked against the list of routes that the server mounts: a new route without a row
 *  here fails. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { creditCheckRoutes } from "../src/compat/credit-check/routes.ts";
import { settingsRoutes } from "../src/compat/settings/low-balance.ts";
import { type Running, startRunning } from "./running.ts";

interface Row {
  /** With the ids filled in; as the route has it where there are none. */
  readonly path?: () => string;
  readonly body?: object;
  /** What whoever may call is answered with this input. */
  readonly right: number;
  /** The same call about somebody else's: what is asked, and the no. */
  readonly foreign?: { readonly path?: () => string; readonly body?: object; readonly status: number };
}

const MODEL = { modelId: "small" };
const ids = { ann: "", bob: "", annsChat: "", bobsChat: "", bobsSession: "" };
const annsChat = (rest = "") => ({ path: () => `/api/chat/sessions/${ids.annsChat}${rest}` });
const bobsChat = (rest = "") => ({ path: () => `/api/chat/sessions/${ids.bobsChat}${rest}`, status: 403 });
const stream = { sessionId: "access-1" };
const bobsStream = { sessionId: "bobs-stream" };

const ROWS: Readonly<Record<string, Row>> = {
  "post /api/auth/signup": { body: {}, right: 400 },
  "post /api/auth/login": { body: {}, right: 400 },
  "post /api/auth/refresh": { body: {}, right: 400 },
  "get /api/auth/.well-known/jwks.json": { right: 200 },
  "post /api/auth/forgot-password": { body: {}, right: 400 },
  "post /api/auth/reset-password": { body: {}, right: 400 },
  "post /api/auth/verify-email": { body: {}, right: 400 },
  "get /api/auth/me": { right: 200 },
  "get /api/auth/sessions": { right: 200 },
  "delete /api/auth/sessions/:sessionId": {
    path: () => "/api/auth/sessions/sess_none",
    right: 404,
    foreign: { path: () => `/api/auth/sessions/${ids.bobsSession}`, status: 404 },
  },
  "post /api/auth/logout": { body: { refreshToken: "bsr_unknown" }, right: 200 },
  "post /api/auth/logout-all": { right: 200 },
  "get /api/auth/admin/users": { right: 200 },
  "post /api/auth/admin/users": { body: {}, right: 400 },
  "post /api/auth/admin/users/batch": { body: {}, right: 400 },
  "get /api/auth/admin/users/:userId": { path: () => `/api/auth/admin/users/${ids.ann}`, right: 200 },
  "put /api/auth/admin/users/:userId/role": {
    path: () => `/api/auth/admin/users/${ids.ann}/role`,
    body: {},
    right: 400,
  },
  "put /api/auth/admin/users/:userId/disabled": {
    path: () => `/api/auth/admin/users/${ids.ann}/disabled`,
    body: {},
    right: 400,
  },
  "delete /api/auth/admin/users/:userId": { path: () => "/api/auth/admin/users/nobody-at-all", right: 404 },
  "post /api/auth/admin/keys/rotate": { right: 201 },
  "get /v1/settings/auto-topup/low-balance": { right: 200 },
  "post /v1/settings/auto-topup/low-balance": { body: { enabled: false }, right: 200 },
  "get /api/credits/balance": { right: 200 },
  "get /api/credits/total-balance": { right: 200 },
  "post /api/credits/check": { body: { credits: 1 }, right: 200 },
  "post /api/credits/calculate": { body: { ...MODEL, tokens: 10 }, right: 200 },
  "post /api/credits/deduct": { body: { credits: 0.5 }, right: 200 },
  "post /api/credits/allocate": { body: { userId: "ann", credits: 1 }, right: 201 },
  "post /api/credits/allocate-by-email": { body: { email: "ann@example.org", credits: 1 }, right: 201 },
  "post /api/credits/set": { body: { userId: "ann", credits: 500 }, right: 200 },
  "put /api/credits/adjust": { body: { userId: "ann", credits: 1, notes: "because" }, right: 200 },
  "delete /api/credits/remove": { body: { userId: "ann", credits: 1 }, right: 200 },
  "get /api/credits/balance/:userId": { path: () => `/api/credits/balance/${ids.ann}`, right: 200 },
  "get /api/credits/allocations/all": { right: 200 },
  "post /api/streaming-sessions/initialize": {
    body: { ...stream, ...MODEL, estimatedTokens: 100 },
    right: 201,
  },
  "post /api/streaming-sessions/progress": {
    body: { ...stream, tokensGenerated: 1 },
    right: 200,
    foreign: { body: { ...bobsStream, tokensGenerated: 1 }, status: 404 },
  },
  "post /api/streaming-sessions/finalize": {
    body: { ...stream, actualTokens: 1, success: true },
    right: 200,
    foreign: { body: { ...bobsStream, actualTokens: 1 }, status: 404 },
  },
  "post /api/streaming-sessions/abort": {
    body: { ...stream, tokensGenerated: 1 },
    right: 200,
    foreign: { body: { ...bobsStream, tokensGenerated: 1 }, status: 404 },
  },
  "get /api/streaming-sessions/active": { right: 200 },
  "get /api/streaming-sessions/active/all": { right: 200 },
  "get /api/streaming-sessions/active/:userId": {
    path: () => `/api/streaming-sessions/active/${ids.ann}`,
    right: 200,
    foreign: { path: () => `/api/streaming-sessions/active/${ids.bob}`, status: 403 },
  },
  "get /api/streaming-sessions/recent": {
    right: 200,
    foreign: { path: () => `/api/streaming-sessions/recent?userId=${ids.bob}`, status: 403 },
  },
  "post /api/usage/record": { body: { ...MODEL, tokens: 10 }, right: 201 },
  "get /api/usage/stats": { right: 200 },
  "get /api/usage/system-stats": { right: 200 },
  "post /api/chat/sessions": { body: MODEL, right: 201 },
  "get /api/chat/sessions": { right: 200 },
  "get /api/chat/sessions/:sessionId": { ...annsChat(), right: 200, foreign: bobsChat() },
  "delete /api/chat/sessions/:sessionId": {
    path: () => "/api/chat/sessions/chat_none",
    right: 404,
    foreign: bobsChat(),
  },
  "get /api/chat/sessions/:sessionId/messages": {
    ...annsChat("/messages"),
    right: 200,
    foreign: bobsChat("/messages"),
  },
  "post /api/chat/sessions/:sessionId/messages": {
    ...annsChat("/messages"),
    body: {},
    right: 400,
    foreign: { ...bobsChat("/messages"), body: { content: "hello" } },
  },
  "post /api/chat/sessions/:sessionId/stream": {
    ...annsChat("/stream"),
    body: {},
    right: 400,
    foreign: { ...bobsChat("/stream"), body: { content: "hello" } },
  },
  "get /api/chat/sessions/:sessionId/observe": {
    path: () => "/api/chat/sessions/chat_none/observe",
    right: 404,
  },
  "get /api/chat/models": { right: 200 },
  "post /api/chat/models/recommend": { body: {}, right: 200 },
};

let running: Running;
const tokens: Record<string, string> = {};
const password = "correct horse 9";
const PEOPLE = [
  ["ann", "user"],
  ["bob", "user"],
  ["eve", "enduser"],
  ["sue", "supervisor"],
  ["root", "admin"],
] as const;

const call = (token: string | null, method: string, path: string, body?: object, headers = {}) =>
  running.call(token, method.toUpperCase(), path, body, headers);
const logIn = async (username: string) =>
  (await call(null, "post", "/api/auth/login", { username, password })).body.accessToken as string;

beforeAll(async () => {
  running = await startRunning();
  for (const [username, role] of PEOPLE) {
    const email = `${username}@example.org`;
    const made = await running.identity.people.create({
      username,
      email,
      role,
      password,
      emailVerified: true,
    });
    if (made.kind !== "created") throw new Error("not created");
    if (username === "ann" || username === "bob") ids[username] = made.person.id;
    tokens[username] = await logIn(username);
  }
  for (const [username] of PEOPLE)
    await call(tokens["root"]!, "post", "/api/credits/allocate", { userId: username, credits: 1000 });
  const chat = async (who: string) =>
    (await call(tokens[who]!, "post", "/api/chat/sessions", MODEL)).body.id as string;
  ids.annsChat = await chat("ann");
  ids.bobsChat = await chat("bob");
  const bobs = await call(tokens["bob"]!, "get", "/api/auth/sessions");
  ids.bobsSession = bobs.body.sessions[0].id;
  const opened = { ...bobsStream, ...MODEL, estimatedTokens: 10 };
  await call(tokens["bob"]!, "post", "/api/streaming-sessions/initialize", opened);
});
afterAll(() => running.close());

const routes = [
  ...creditCheckRoutes({} as Parameters<typeof creditCheckRoutes>[0]),
  ...settingsRoutes({} as Parameters<typeof settingsRoutes>[0]),
];
const named = routes.map((route) => [`${route.method} ${route.path}`, route] as const);

it("has a row for every route, and a route for every row", () => {
  expect(Object.keys(ROWS).toSorted()).toEqual(named.map(([name]) => name).toSorted());
});

it("says of every route that names something what it does to somebody else's", () => {
  const silent = named.filter(([name, route]) => {
    const namesSomething = route.path.includes("/:") && route.access !== "public";
    return namesSomething && !Array.isArray(route.access) && ROWS[name]!.foreign === undefined;
  });
  expect(silent.map(([name]) => name)).toEqual([]);
});

it.each([
  ["post", "/api/credits/check", { credits: 1 }],
  ["post", "/api/credits/deduct", { credits: 1 }],
  ["post", "/api/usage/record", { ...MODEL, tokens: 10 }],
  ["post", "/api/streaming-sessions/initialize", { sessionId: "anns", ...MODEL, estimatedTokens: 1 }],
] as const)(
  "%s %s acts for whoever the token names, whatever id the header and the body name",
  async (method, path, body) => {
    const balanceOf = async (who: string) =>
      (await call(tokens[who]!, "get", "/api/credits/balance")).body.totalCredits;
    const before = await balanceOf("bob");
    await call(tokens["ann"]!, method, path, { ...body, userId: ids.bob }, { "x-user-id": ids.bob });
    expect(await balanceOf("bob")).toBe(before);
  },
);

describe.each(named)("%s", (name, route) => {
  const row = ROWS[name]!;
  const path = () => row.path?.() ?? route.path;
  const send = (token: string | null, headers = {}) => call(token, route.method, path(), row.body, headers);

  if (route.access !== "public") {
    it("is closed without a token, with a wrong one, and with an expired one", async () => {
      expect((await send(null)).status).toBe(401);
      expect((await send("eyJhbGciOiJFZERTQSJ9.e30.AAAA")).status).toBe(401);
      const before = running.clock.time;
      const token = tokens["root"]!;
      running.clock.time = (before + 16 * 60 * 1_000_000) as typeof before;
      const late = await send(token);
      running.clock.time = before;
      expect(late.status).toBe(401);
    });

    it("believes no user id in a header", async () => {
      const { status } = await send(null, { "x-user-id": ids.ann, "x-user-role": "admin" });
      expect(status).toBe(401);
    });
  }

  if (Array.isArray(route.access)) {
    it.each(["ann", "eve", "sue", "root"])("is open to the right roles alone: %s", async (who) => {
      const role = PEOPLE.find(([username]) => username === who)![1];
      const { status } = await send(tokens[who]!);
      expect(status).toBe(route.access.includes(role) ? row.right : 403);
    });
  } else {
    it("answers whoever may call", async () => {
      expect((await send(route.access === "public" ? null : tokens["ann"]!)).status).toBe(row.right);
      // Some of these sign out.
      if (name.includes("logout")) tokens["ann"] = await logIn("ann");
    });
  }

  const { foreign } = row;
  if (foreign !== undefined) {
    it("keeps what is somebody else's", async () => {
      const { status } = await call(
        tokens["ann"]!,
        route.method,
        foreign.path?.() ?? path(),
        foreign.body ?? row.body,
      );
      expect(status).toBe(foreign.status);
    });
  }
});

it("a bearer token wins over a cookie: with a bad token the answer is no, whatever the cookie", async () => {
  const signedIn = await fetch(`${running.url}/api/identity/sign-in/username`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ username: "ann", password }),
  });
  const cookie = signedIn.headers
    .getSetCookie()
    .map((text) => text.split(";")[0])
    .join("; ");
  expect((await call(null, "get", "/api/credits/balance", undefined, { cookie })).status).toBe(200);
  expect(
    (await call("eyJhbGciOiJFZERTQSJ9.e30.AAAA", "get", "/api/credits/balance", undefined, { cookie }))
      .status,
  ).toBe(401);
  const asBob = await call(tokens["bob"]!, "get", "/api/auth/me", undefined, { cookie });
  expect(asBob.body.user.username).toBe("bob");
});
