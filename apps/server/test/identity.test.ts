import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBrowser } from "./browser.ts";
import { type Running, startRunning } from "./running.ts";
import { codeOf, enrol } from "./totp.ts";

const password = "correct horse 9";
let running: Running;
let count = 0;

beforeAll(async () => {
  running = await startRunning(undefined, 0, { limits: { account: 4, address: 1000 } });
});
afterAll(() => running.close());

/** Somebody new, with a browser of their own. */
async function somebody(facts: { role?: "admin" | "supervisor"; email?: string } = {}) {
  const username = `person${++count}`;
  const email = facts.email ?? `${username}@example.org`;
  const made = await running.identity.people.create({
    username,
    email,
    password,
    emailVerified: true,
    ...facts,
  });
  if (made.kind !== "created") throw new Error("not made");
  return { ...made.person, username, browser: openBrowser(running.url) };
}
const signIn = (browser: ReturnType<typeof openBrowser>, username: string, secret = password) =>
  browser.post("/api/identity/sign-in/username", { username, password: secret });
const logIn = (body: object) =>
  running.call(null, "POST", "/api/auth/login", body, { "content-type": "application/json" });
const refresh = (refreshToken: string) =>
  running.call(null, "POST", "/api/auth/refresh", { refreshToken }, { "content-type": "application/json" });

describe("sessions", () => {
  test("a cookie opens what a token opens, and a Bearer token wins over it", async () => {
    const { browser, username, accountId } = await somebody();
    expect((await signIn(browser, username)).status).toBe(200);
    expect((await browser.get("/api/auth/me")).body.user.username).toBe(username);
    expect((await browser.get("/v1/balance")).body.accountId).toBe(accountId);
    expect((await browser.get("/api/auth/me", { authorization: "Bearer nonsense" })).status).toBe(401);
    expect((await browser.get("/v1/balance", { authorization: "Bearer bsk_nonsense" })).status).toBe(401);
  });

  test("a cookie changes nothing when another page sends it", async () => {
    const { browser, username } = await somebody();
    await signIn(browser, username);
    for (const origin of ["https://evil.example", "null"]) {
      expect((await browser.post("/api/auth/logout-all", {}, { origin })).status).toBe(403);
      expect((await browser.post("/v1/spend", { id: "s1", amount: "1" }, { origin })).status).toBe(403);
      expect((await browser.post("/api/identity/sign-out", {}, { origin })).status).toBe(403);
    }
    expect((await browser.get("/api/auth/me")).status).toBe(200);
    expect((await browser.post("/api/auth/logout-all", {})).status).toBe(200);
    expect((await browser.get("/api/auth/me")).status).toBe(401);
  });

  test("work under every name that a browser knows this server by", async () => {
    const { username } = await somebody();
    const browser = openBrowser(running.url.replace("127.0.0.1", "localhost"));
    expect((await signIn(browser, username)).status).toBe(200);
    expect((await browser.post("/api/auth/logout-all", {})).status).toBe(200);
    const form = { named: username, password, user_code: "" };
    expect((await browser.submit("/device/sign-in", form)).status).toBe(303);
  });

  test("are renewed together with their cookie, whatever was asked before", async () => {
    const { browser, username, id } = await somebody();
    await signIn(browser, username);
    const age = "update identity.sessions set expires_at = now() + interval '5 days' where user_id = $1";
    await running.engine.pool.query(age, [id]);
    expect((await browser.get("/api/auth/me")).status).toBe(200);
    const renewed = await browser.get("/api/identity/get-session");
    expect(renewed.headers.getSetCookie().join()).toMatch(/session_token=[^;]+; Max-Age=604800/);
  });

  test("are listed, and one that is revoked is refused at once, its refresh tokens too", async () => {
    const { browser, username } = await somebody();
    await signIn(browser, username);
    const other = openBrowser(running.url);
    await signIn(other, username);
    const program = (await logIn({ username, password })).body;
    const { sessions } = (await browser.get("/api/auth/sessions")).body;
    expect(sessions.length).toBe(3);
    const own = (await logIn({ username, password })).body.accessToken;
    const stranger = await somebody();
    await signIn(stranger.browser, stranger.username);
    for (const { id } of sessions.filter((session: { current: boolean }) => !session.current)) {
      const path = `/api/auth/sessions/${id}`;
      const strangers = (await logIn({ username: stranger.username, password })).body.accessToken;
      expect((await running.call(strangers, "DELETE", path)).status).toBe(404);
      expect((await running.call(own, "DELETE", path)).status).toBe(200);
    }
    expect((await browser.get("/api/auth/me")).status).toBe(200);
    expect((await other.get("/api/auth/me")).status).toBe(401);
    expect((await running.call(program.accessToken, "GET", "/api/auth/me")).status).toBe(401);
    expect((await refresh(program.refreshToken)).status).toBe(401);
  });

  test("a changed password ends every other session and every refresh family", async () => {
    const { browser, username } = await somebody();
    const other = openBrowser(running.url);
    await Promise.all([signIn(browser, username), signIn(other, username)]);
    const program = (await logIn({ username, password })).body;
    const change = { currentPassword: password, newPassword: "another horse 9", revokeOtherSessions: false };
    expect((await browser.post("/api/identity/change-password", change)).status).toBe(200);
    expect((await browser.get("/api/auth/me")).status).toBe(200);
    expect((await other.get("/api/auth/me")).status).toBe(401);
    expect((await refresh(program.refreshToken)).status).toBe(401);
    expect((await logIn({ username, password })).status).toBe(401);
    expect((await logIn({ username, password: "another horse 9" })).status).toBe(200);
  });

  test("whoever is disabled or deleted is out, and comes in no more", async () => {
    const { browser, username, id } = await somebody();
    await signIn(browser, username);
    const program = (await logIn({ username, password })).body;
    await running.identity.people.setDisabled(id, true);
    expect((await browser.get("/api/auth/me")).status).toBe(401);
    expect((await refresh(program.refreshToken)).status).toBe(401);
    expect((await logIn({ username, password })).status).toBe(403);
    expect((await signIn(browser, username)).status).toBe(403);
    await running.identity.people.setDisabled(id, false);
    expect((await logIn({ username, password })).status).toBe(200);
    await running.identity.people.delete(id);
    expect((await logIn({ username, password })).status).toBe(401);
  });
});

test("a sign-in with a NUL or of any size is bad input", async () => {
  const send = (body: string) => {
    const headers = { "content-type": "application/json" };
    return fetch(`${running.url}/api/identity/sign-in/email`, { method: "POST", headers, body });
  };
  const nul = JSON.stringify({ email: "a\u0000@example.org", password: "x".repeat(10) });
  expect((await send(nul)).status).toBe(400);
  const large = await send(JSON.stringify({ email: "a@example.org", password: "x".repeat(70_000) }));
  expect([large.status, ((await large.json()) as { message: string }).message]).toEqual([
    413,
    "The body must have at most 65536 bytes",
  ]);
});

describe("guessing", () => {
  test("is limited by person, on both doors together, and says when to come back", async () => {
    const { browser, username, email } = await somebody();
    const answers = [];
    for (let attempt = 0; attempt < 2; attempt++) {
      answers.push((await logIn({ email, password: `guess number ${attempt}` })).status);
      answers.push((await signIn(browser, username, `guess ${attempt}`)).status);
    }
    expect(answers).toEqual([401, 401, 401, 401]);
    const limited = await logIn({ username, password });
    expect(limited.status).toBe(429);
    expect(Number(limited.headers.get("retry-after"))).toBeGreaterThan(800);
    expect((await signIn(browser, username)).status).toBe(429);
  });

  test("all at once gets no further than one by one", async () => {
    const { username } = await somebody();
    const guesses = Array.from({ length: 12 }, (_, number) =>
      logIn({ username, password: `a guess ${number}` }),
    );
    const statuses = (await Promise.all(guesses)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 401).length).toBe(4);
    expect(statuses.filter((status) => status === 429).length).toBe(8);
  });

  test("is forgotten by a success", async () => {
    const { username } = await somebody();
    for (let round = 0; round < 2; round++) {
      for (let guess = 0; guess < 3; guess++) await logIn({ username, password: "not it at all" });
      expect((await logIn({ username, password })).status).toBe(200);
    }
  });

  test.each<[string, (name: string, guess: number) => Promise<{ status: number }>]>([
    [
      "somebody else is named beside",
      (username, guess) =>
        openBrowser(running.url).post("/api/identity/sign-in/username", {
          ...{ username, password: `guess ${guess}`, email: `other${guess}@example.org` },
        }),
    ],
    [
      "the body is of an odd type",
      (username, guess) =>
        openBrowser(running.url).post(
          "/api/identity/sign-in/username",
          { username, password: `guess ${guess}` },
          { "content-type": "application/JSON", cookie: `one=${guess}` },
        ),
    ],
    [
      "the body is a form",
      (username, guess) =>
        openBrowser(running.url).submit(
          "/api/identity/sign-in/email",
          { email: `${username}@example.org`, password: `guess ${guess}` },
          { cookie: `one=${guess}` },
        ),
    ],
  ])("counts for who is guessed, also where %s", async (_, tryOne) => {
    const { browser, username } = await somebody();
    const statuses = [];
    for (let guess = 0; guess < 6; guess++) statuses.push((await tryOne(username, guess)).status);
    expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(4);
    const isCounted = !statuses.includes(400);
    expect((await signIn(browser, username)).status).toBe(isCounted ? 429 : 200);
  });

  test.each([
    ["change-password", { newPassword: password }, "currentPassword"],
    ["verify-password", {}, "password"],
    ["two-factor/enable", {}, "password"],
  ])("of the password of whoever is signed in is limited by %s too", async (path, body, field) => {
    const { browser, username } = await somebody();
    await signIn(browser, username);
    const statuses = [];
    for (let guess = 0; guess < 6; guess++) {
      browser.jarOf().set("other", String(guess));
      const sent = { ...body, [field]: `guess ${guess}` };
      statuses.push((await browser.post(`/api/identity/${path}`, sent)).status);
    }
    expect(statuses).toEqual([400, 400, 400, 400, 429, 429]);
  });

  test("is not forgotten by somebody else's success", async () => {
    const [victim, other] = [await somebody(), await somebody()];
    await signIn(other.browser, other.username);
    for (let guess = 0; guess < 4; guess++) await logIn({ username: victim.username, password: "not it" });
    const body = { currentPassword: password, newPassword: password, email: victim.username };
    expect((await other.browser.post("/api/identity/change-password", body)).status).toBe(200);
    expect((await logIn({ username: victim.username, password })).status).toBe(429);
  });

  test("tokens of mails keeps nobody else from theirs", async () => {
    const { email } = await somebody();
    const visitor = openBrowser(running.url);
    const reset = (token: string) =>
      visitor.post("/api/identity/reset-password", { token, newPassword: password });
    for (let guess = 0; guess < 6; guess++) expect((await reset(`guess${guess}`)).status).toBe(400);
    await running.call(null, "POST", "/api/auth/forgot-password", { email });
    const mail = running.mails.find(({ to }) => to === email)!;
    expect((await reset(/token is:\s+(\S+)/.exec(mail.text)![1]!)).status).toBe(200);
  });

  test("who is here is not told to everybody as often as they like", async () => {
    const { username, browser } = await somebody();
    expect((await browser.post("/api/identity/is-username-available", { username })).status).toBe(404);
  });

  test("codes for devices are handed out so often and no more", async () => {
    const strict = await startRunning(undefined, 0, { limits: { address: 3 } });
    try {
      const ask = () =>
        openBrowser(strict.url).post("/api/identity/device/code", { client_id: "bursar-cli" });
      const statuses = [];
      for (let time = 0; time < 5; time++) statuses.push((await ask()).status);
      expect(statuses).toEqual([200, 200, 200, 429, 429]);
      // Nobody has guessed anything.
      const username = "borrows-the-address";
      const facts = { username, email: "borrows@example.org", password, name: "B", emailVerified: true };
      expect((await strict.identity.people.create(facts)).kind).toBe("created");
      const login = await strict.call(null, "POST", "/api/auth/login", { username, password });
      expect(login.status).toBe(200);
    } finally {
      await strict.close();
    }
  });

  test("is limited by address, whoever is guessed", async () => {
    const strict = await startRunning(undefined, 0, { limits: { account: 100, address: 3 } });
    try {
      const guess = (username: string) =>
        strict.call(null, "POST", "/api/auth/login", { username, password: "not it at all" });
      for (const name of ["one", "two", "three"]) expect((await guess(name)).status).toBe(401);
      expect((await guess("four")).status).toBe(429);
    } finally {
      await strict.close();
    }
  });
});

describe("mail", () => {
  const mailTo = (address: string) => running.mails.filter(({ to }) => to === address);

  test("forgot-password answers the same for anybody, and writes only to whom it may concern", async () => {
    const { email } = await somebody();
    const answers = [];
    for (const address of [email, "unknown@example.org"]) {
      answers.push(await running.call(null, "POST", "/api/auth/forgot-password", { email: address }));
    }
    expect(answers.map(({ status, body }) => [status, body])).toEqual([
      [200, answers[1]!.body],
      [200, answers[0]!.body],
    ]);
    expect([mailTo(email).length, mailTo("unknown@example.org").length]).toEqual([1, 0]);
  });

  test("a reset works once, on the page the mail leads to, and ends all sessions", async () => {
    const { email, username, browser } = await somebody();
    await signIn(browser, username);
    const program = (await logIn({ username, password })).body;
    await running.call(null, "POST", "/api/auth/forgot-password", { email });
    const link = /https?:\S+reset-password\S+/.exec(mailTo(email)[0]!.text)![0];
    const visitor = openBrowser(running.url);
    const token = /name="token" value="([^"]+)"/.exec((await visitor.get(link)).text)![1]!;
    const form = { token, password: "a fresh horse 9", again: "a fresh horse 9" };
    expect((await visitor.submit("/reset-password", form, { origin: "https://evil.example" })).status).toBe(
      403,
    );
    expect((await visitor.submit("/reset-password", { ...form, again: "typo" })).status).toBe(400);
    expect((await visitor.submit("/reset-password", form)).text).toContain("has been changed");
    expect((await visitor.submit("/reset-password", form)).status).toBe(400);
    expect((await browser.get("/api/auth/me")).status).toBe(401);
    expect((await refresh(program.refreshToken)).status).toBe(401);
    expect((await logIn({ username, password: "a fresh horse 9" })).status).toBe(200);
  });

  test.each(["reset", "changed"])("older links are good no more when the password was %s", async (how) => {
    const { email, username, browser } = await somebody();
    const ask = () => running.call(null, "POST", "/api/auth/forgot-password", { email });
    const reset = (token: string) =>
      running.call(null, "POST", "/api/auth/reset-password", { token, newPassword: "a thief's horse" });
    await Promise.all([ask(), ask()]);
    const [older, newer] = mailTo(email).map(({ text }) => /token is:\s+(\S+)/.exec(text)![1]!);
    if (how === "reset") expect((await reset(newer!)).status).toBe(200);
    else {
      await signIn(browser, username);
      const change = { currentPassword: password, newPassword: "another horse 9" };
      expect((await browser.post("/api/identity/change-password", change)).status).toBe(200);
    }
    expect((await reset(older!)).status).toBe(400);
  });

  test("whoever was made by name alone chooses a password by mail", async () => {
    const made = await running.identity.people.findOrCreate("invited@example.org");
    expect(made.emailVerified).toBe(false);
    const taken = await running.call(null, "POST", "/api/auth/signup", {
      email: "invited@example.org",
      password,
    });
    expect(taken.status).toBe(409);
    await running.call(null, "POST", "/api/auth/forgot-password", { email: "invited@example.org" });
    const token = /token is:\s+(\S+)/.exec(mailTo("invited@example.org")[0]!.text)![1];
    const reset = await running.call(null, "POST", "/api/auth/reset-password", {
      token,
      newPassword: password,
    });
    expect(reset.status).toBe(200);
    const { body } = await logIn({ email: "invited@example.org", password });
    expect(body.user).toMatchObject({ id: made.id, accountId: made.accountId, emailVerified: true });
  });

  test("is asked for so often and no more, whoever signs in meanwhile, and keeps nobody from signing in", async () => {
    const { email, username, browser } = await somebody();
    const statuses = [];
    for (let time = 0; time < 6; time++) {
      const path = time % 2 === 0 ? "/api/identity/request-password-reset" : "/api/auth/forgot-password";
      statuses.push((await browser.post(path, { email })).status);
      expect((await logIn({ username, password })).status).toBe(200);
    }
    expect(statuses).toEqual([200, 200, 200, 200, 429, 429]);
    expect(mailTo(email).length).toBe(4);
  });

  test("to a mailbox that is not proved comes no oftener by signing in than one may guess", async () => {
    const settings = { verifyEmail: true, limits: { account: 3, address: 1000 } };
    const strict = await startRunning(undefined, 0, settings);
    try {
      const person = { email: "stranger@example.org", password };
      const post = (path: string) => strict.call(null, "POST", `/api/auth/${path}`, person);
      await post("signup");
      const statuses = [];
      for (let time = 0; time < 5; time++) statuses.push((await post("login")).status);
      expect(statuses).toEqual([403, 403, 403, 429, 429]);
      expect(strict.mails.length).toBe(4);
    } finally {
      await strict.close();
    }
  });

  test("to whoever was signed up says nothing of their sender's", async () => {
    const email = "named@example.org";
    const name =
      "Prize at https://evil.example/win, \u202e click www.evil.example now, before it is gone for good";
    const signUp = (as: string) =>
      running.call(null, "POST", "/api/auth/signup", { email, password, name: as });
    for (const bad of ["two\nlines", "x".repeat(256)])
      expect((await signUp(bad)).body.message).toMatch(/^name: must be one line/);
    expect((await signUp(name)).status).toBe(201);
    const [mail] = mailTo(email);
    const hello = /^Hello (.*),\n/.exec(mail!.text)![1]!;
    expect(hello).toMatch(/^Prize at https evil\. example/);
    expect(hello.length).toBeLessThanOrEqual(60);
    expect(mail!.html).toContain(`<p>Hello ${hello},</p>`);
    const { browser, username } = await somebody();
    await signIn(browser, username);
    const renamed = await browser.post("/api/identity/update-user", { name: "a\u0000b" });
    expect([renamed.status, renamed.body.code]).toEqual([400, "INVALID_NAME"]);
  });

  test("where mailboxes must be proved, nobody comes in before", async () => {
    const strict = await startRunning(undefined, 0, { verifyEmail: true });
    try {
      const person = { email: "careful@example.org", username: "careful", password };
      const post = (path: string, body: unknown) => strict.call(null, "POST", `/api/auth/${path}`, body);
      const signedUp = await post("signup", person);
      expect([signedUp.status, signedUp.body.accessToken]).toEqual([201, undefined]);
      expect((await post("login", person)).status).toBe(403);
      const token = /token is:\s+(\S+)/.exec(strict.mails[0]!.text)![1];
      expect((await post("verify-email", { token: `${token}x` })).status).toBe(400);
      const link = /https?:\S+verify-email\S+/.exec(strict.mails[1]!.text)![0];
      const visitor = openBrowser(strict.url);
      expect((await visitor.get(link)).status).toBe(200);
      expect((await post("login", person)).status).toBe(403);
      const confirmed = await visitor.submit("/verify-email", {
        token: new URL(link).searchParams.get("token")!,
      });
      expect(confirmed.text).toContain("is confirmed");
      expect((await post("verify-email", { token })).status).toBe(200);
      expect((await post("login", person)).body.user.emailVerified).toBe(true);
      expect((await post("signup", person)).status).toBe(409);
    } finally {
      await strict.close();
    }
  });
});

describe("the second step", () => {
  async function somebodyCareful() {
    const person = await somebody();
    await signIn(person.browser, person.username);
    const { secret, body } = await enrol(person.browser, password);
    return { ...person, secret, backupCodes: body.backupCodes };
  }

  test("is asked of programs and browsers, and a used code never opens again", async () => {
    const { username, secret } = await somebodyCareful();
    const asked = await logIn({ username, password });
    expect([asked.status, asked.body.codeRequired, asked.body.accessToken]).toEqual([401, true, undefined]);
    const code = codeOf(secret, 1);
    expect((await logIn({ username, password, code })).status).toBe(200);
    expect((await logIn({ username, password, code })).status).toBe(401);
    const browser = openBrowser(running.url);
    expect((await signIn(browser, username)).body.twoFactorRedirect).toBe(true);
    expect((await browser.get("/api/auth/me")).status).toBe(401);
    expect((await browser.post("/api/identity/two-factor/verify-totp", { code })).status).toBe(401);
  });

  test("of twins with one code, one comes in", async () => {
    const { username, secret } = await somebodyCareful();
    const code = codeOf(secret, 1);
    const twins = await Promise.all([1, 2, 3].map(() => logIn({ username, password, code })));
    expect(twins.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([200, 401, 401]);
  });

  test("a backup code opens once, and guessing is limited", async () => {
    const { username, backupCodes } = await somebodyCareful();
    const code = backupCodes[0]!;
    expect((await logIn({ username, password, code })).status).toBe(200);
    const again = [];
    for (let attempt = 0; attempt < 5; attempt++)
      again.push((await logIn({ username, password, code })).status);
    expect(again).toEqual([401, 401, 401, 401, 429]);
  });
});
