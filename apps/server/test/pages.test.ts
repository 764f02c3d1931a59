/** Signing up, and setting up a second step, on pages without scripts. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Browser, openBrowser, type Visit } from "./browser.ts";
import { peopleOf } from "./people-of.ts";
import { type Running, startRunning } from "./running.ts";
import { codeOf, fromBase32 } from "./totp.ts";

const password = "correct horse 9";
let running: Running;
let people = 0;

beforeAll(async () => {
  running = await startRunning();
});
afterAll(() => running.close());

const newcomer = () => {
  const username = `newcomer${++people}`;
  return { username, email: `${username}@example.org`, password };
};
const logIn = (body: object) => running.call(null, "POST", "/api/auth/login", body);
const post = (path: string, body: object) =>
  running.call(null, "POST", `/api/identity${path}`, body, { "content-type": "application/json" });

/** Where a link of this text leads. */
function linkOf({ text }: Visit, name: string): string {
  const found = [...text.matchAll(/<a href="([^"]+)">([^<]+)<\/a>/g)].find(([, , label]) => label === name);
  return found![1]!.replaceAll("&amp;", "&");
}

/** Signs up on the way to a page, and is then on it. */
async function signUpAt(browser: Browser, path: string, person: ReturnType<typeof newcomer>, kept = {}) {
  const asked = await browser.get(path);
  const form = await browser.get(linkOf(asked, "Sign up"));
  expect(form.status).toBe(200);
  const step = new URL(form.url).pathname;
  return browser.follow(await browser.submit(step, { ...person, ...kept }));
}

test.each([
  "/device/sign-in",
  "/device/sign-up",
  "/device/decide",
  "/join",
  "/second-factor/begin",
  "/forgot-password",
  "/reset-password",
  "/verify-email",
])("nobody's endless form is read to its end at %s", async (path) => {
  const browser = openBrowser(running.url);
  const form = { email: "x".repeat(64 * 1024), token: "none", password: "short" };
  expect((await browser.submit(path, form)).status).toBe(413);
  expect((await browser.submit(path, { ...form, email: "short" })).status).not.toBe(413);
});

describe("signing up on a page", () => {
  test("lets the device in that somebody new came for", async () => {
    const { device_code, user_code } = (await post("/device/code", { client_id: "bursar-cli" })).body;
    const browser = openBrowser(running.url);
    const person = newcomer();
    const there = await signUpAt(browser, `/device?user_code=${user_code}`, person, { user_code });
    expect(there.text).toContain(`<strong>${person.username}</strong>`);
    expect(there.text).toContain(`<code>${user_code}</code>`);
    await browser.submit("/device/decide", { user_code, decision: "approve" });
    const letIn = await post("/device/token", {
      grant_type: "urn:ietf:params:oauth:grant-type:device_code",
      ...{ device_code, client_id: "bursar-cli" },
    });
    const me = await running.call(letIn.body.access_token, "GET", "/v1/balance");
    expect(me.status).toBe(200);
  });

  test("joins the organization that invited somebody new", async () => {
    const ada = await peopleOf(running)("ada");
    await ada.post("/v1/organizations", { id: "org_pages", name: "Pages" });
    const person = newcomer();
    const { link, token } = (await ada.post("/v1/organizations/org_pages/invites", { email: person.email }))
      .body;
    const browser = openBrowser(running.url);
    await browser.get(link);
    const pressed = await browser.submit("/join", { token });
    expect([pressed.status, pressed.text.includes("Sign in to join")]).toEqual([401, true]);
    const form = await browser.get(linkOf(pressed, "Sign up"));
    expect(form.text).toContain(`value="${token}"`);
    const back = await browser.follow(await browser.submit("/join/sign-up", { ...person, token }));
    expect(back.text).toContain(`value="${token}"`);
    expect((await browser.submit("/join", { token })).text).toContain("You are a member of <b>Pages</b>");
  });

  test("says in words what is wrong, keeps what was typed, and makes nobody from another page", async () => {
    const browser = openBrowser(running.url);
    const person = { ...newcomer(), username: "no <b>name</b>" };
    const refused = await browser.submit("/device/sign-up", person);
    expect([refused.status, refused.text.includes('role="alert"')]).toEqual([400, true]);
    expect(refused.text).toContain(`value="${person.email}"`);
    expect(refused.text).not.toContain("<b>name</b>");
    expect(refused.text).not.toContain(password);
    for (const path of ["/device", "/second-factor", "/join"]) {
      const foreign = await openBrowser(running.url).submit(`${path}/sign-up`, newcomer(), {
        origin: "https://evil.example",
      });
      expect(foreign.status).toBe(403);
    }
    const { rows } = await running.engine.pool.query("select 1 from identity.people where email = $1", [
      `newcomer${people}@example.org`,
    ]);
    expect(rows).toEqual([]);
  });

  test("waits for the mailbox where that must be proved", async () => {
    const strict = await startRunning(undefined, 0, { verifyEmail: true });
    try {
      const browser = openBrowser(strict.url);
      const person = newcomer();
      const told = await browser.submit("/second-factor/sign-up", person);
      expect(told.text).toContain(`A link was sent to <strong>${person.email}</strong>`);
      expect((await browser.get("/second-factor")).text).toContain("Sign in to look after");
      expect(strict.mails.map(({ to }) => to)).toEqual([person.email]);
    } finally {
      await strict.close();
    }
  });
});

describe("the page of the second step", () => {
  async function setUp() {
    const browser = openBrowser(running.url);
    const person = newcomer();
    const there = await signUpAt(browser, "/second-factor", person);
    expect(there.text).toContain("It is switched off");
    // Whoever did not get to the end starts again: the first secret is forgotten.
    expect((await browser.submit("/second-factor/begin", { password })).status).toBe(200);
    const begun = await browser.submit("/second-factor/begin", { password });
    const secret = fromBase32(/secret=([A-Z2-7]+)/.exec(begun.text)![1]!);
    const codes = [...begun.text.matchAll(/<li><code>([^<]+)<\/code>/g)].map(([, code]) => code!);
    return { browser, person, secret, codes };
  }

  test("switches it on with a code of the authenticator, and then sign-ins ask for one", async () => {
    const { browser, person, secret, codes } = await setUp();
    expect(codes).toHaveLength(10);
    expect((await logIn(person)).status).toBe(200);
    const wrong = await browser.submit("/second-factor/confirm", { code: "000000" });
    expect([wrong.status, wrong.text.includes('role="alert"')]).toEqual([400, true]);
    const on = await browser.follow(
      await browser.submit("/second-factor/confirm", { code: codeOf(secret, 0).replace(/^(...)/, "$1 ") }),
    );
    expect(on.text).toContain("It is switched on");
    expect((await logIn(person)).body.codeRequired).toBe(true);
    expect((await logIn({ ...person, code: codes[0] })).status).toBe(200);
    const visitor = openBrowser(running.url);
    const asked = await visitor.submit("/second-factor/sign-in", { named: person.username, password });
    expect(asked.text).toContain("Code of your authenticator");
    const inside = await visitor.follow(
      await visitor.submit("/second-factor/second-step", { code: codeOf(secret, 1) }),
    );
    expect(inside.text).toContain("It is switched on");
  });

  test("makes new backup codes and switches it off, each with the password and from its own page", async () => {
    const { browser, person, secret, codes } = await setUp();
    await browser.submit("/second-factor/confirm", { code: codeOf(secret, 0) });
    for (const step of ["begin", "confirm", "codes", "off"]) {
      const form = { password, code: codeOf(secret, 1) };
      const foreign = await browser.submit(`/second-factor/${step}`, form, {
        origin: "https://evil.example",
      });
      expect([step, foreign.status]).toEqual([step, 403]);
      const stranger = await openBrowser(running.url).submit(`/second-factor/${step}`, form);
      expect(stranger.text).toContain("Sign in to look after");
    }
    expect((await browser.submit("/second-factor/codes", { password: "wrong" })).status).toBe(400);
    const renewed = await browser.submit("/second-factor/codes", { password });
    const fresh = /<li><code>([^<]+)<\/code>/.exec(renewed.text)![1]!;
    expect((await logIn({ ...person, code: codes[0] })).status).toBe(401);
    expect((await logIn({ ...person, code: fresh })).status).toBe(200);
    expect((await browser.submit("/second-factor/off", { password: "wrong" })).status).toBe(400);
    const off = await browser.follow(await browser.submit("/second-factor/off", { password }));
    expect(off.text).toContain("It is switched off");
    expect((await logIn(person)).status).toBe(200);
  });
});

test("a forgotten password is asked for on a page, which says the same about everybody", async () => {
  const person = newcomer();
  await running.identity.people.create(person);
  const browser = openBrowser(running.url);
  expect((await browser.get("/forgot-password")).status).toBe(200);
  const said = [];
  for (const email of [person.email, "nobody@example.org"]) {
    const { status, text } = await browser.submit("/forgot-password", { email });
    said.push([status, text.replace(email, "")]);
  }
  expect(said[0]).toEqual(said[1]);
  expect(
    running.mails.filter(({ subject }) => subject === "Choose a new password").map(({ to }) => to),
  ).toEqual([person.email]);
  const foreign = { origin: "https://evil.example" };
  expect((await browser.submit("/forgot-password", { email: person.email }, foreign)).status).toBe(403);
});

test("what was typed stays in a form that is refused, and why is told in words", async () => {
  const browser = openBrowser(running.url);
  const refused = [
    await browser.submit("/device/sign-up", {
      email: "no address",
      username: "newcomer-x",
      password: "long enough",
    }),
    await browser.submit("/device/sign-in", { named: "nobody-at-all", password: "long enough" }),
    await browser.submit("/forgot-password", { email: "no address" }),
  ];
  expect(refused.map(({ text }) => /role="alert">(\w+)/.exec(text)?.[1])).toEqual([
    "Invalid",
    "Invalid",
    "Invalid",
  ]);
  for (const [index, typed] of [
    [0, "newcomer-x"],
    [1, "nobody-at-all"],
    [2, "no address"],
  ] as const)
    expect(refused[index]!.text).toContain(`value="${typed}"`);
  const reset = { token: "none", password: "long enough", again: "long enough" };
  const ended = await browser.submit("/reset-password", reset);
  expect([ended.status, linkOf(ended, "Send me another one")]).toEqual([400, "/forgot-password"]);
});

test("a path that the library does not have is answered in words", async () => {
  const { status, body } = await post("/nothing", {});
  expect([status, body.message]).toEqual([404, "There is no POST /api/identity/nothing"]);
});

test("the first page leads to pages that are there", async () => {
  const browser = openBrowser(running.url);
  const home = await browser.get("/");
  expect(home.status).toBe(200);
  const links = [...home.text.matchAll(/<a href="([^"]+)">/g)].map(([, path]) => path!);
  expect(links.length).toBeGreaterThan(3);
  for (const path of links) expect([path, (await browser.get(path)).status]).toEqual([path, 200]);
});
