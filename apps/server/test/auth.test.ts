import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Running, startRunning } from "./running.ts";

let running: Running;
const password = "correct horse 9";

beforeAll(async () => {
  running = await startRunning();
  const people = [
    { username: "root", email: "root@example.org", role: "admin" },
    { username: "ann", email: "ann@example.org", role: "user" },
    { username: "sue", email: "sue@example.org", role: "supervisor" },
  ] as const;
  for (const each of people) await running.identity.people.create({ ...each, password, emailVerified: true });
});
afterAll(() => running.close());

const post = (path: string, body: unknown, token: string | null = null) =>
  running.call(token, "POST", `/api/auth/${path}`, body, { "content-type": "application/json" });
const logIn = async (username: string) => (await post("login", { username, password })).body;

describe("login", () => {
  test("opens by username and by e-mail, whatever the case, and says who it is", async () => {
    for (const name of [{ username: "ann" }, { username: "ANN" }, { email: "Ann@Example.org" }]) {
      const { status, body } = await post("login", { ...name, password });
      expect(status).toBe(200);
      expect(body).toMatchObject({ message: "Login successful", user: { username: "ann", role: "user" } });
      expect(decodeJwt(body.accessToken)).toMatchObject({
        sub: body.user.id,
        role: "user",
        iss: running.url,
      });
    }
  });

  test("says the same for a wrong password and for somebody unknown", async () => {
    const wrong = await post("login", { username: "ann", password: "not it at all" });
    const unknown = await post("login", { username: "nobody", password: "not it at all" });
    expect([wrong.status, unknown.status]).toEqual([401, 401]);
    expect(wrong.body).toEqual(unknown.body);
  });

  test("names the field that is missing", async () => {
    expect((await post("login", { password })).body.message).toBe("username: is required, or email");
    expect((await post("login", { username: "ann" })).body.message).toBe("password: must be the password");
    expect((await post("login", { username: 7, password })).status).toBe(400);
    expect((await post("login", "{")).status).toBe(400);
  });
});

describe("signup", () => {
  test("makes a person with an account of their own, and signs them in", async () => {
    const { status, body } = await post("signup", {
      email: "New@Example.org",
      password,
      username: "Newcomer",
    });
    expect(status).toBe(201);
    expect(body.user).toMatchObject({ email: "new@example.org", username: "newcomer", role: "user" });
    expect(body.user.accountId).toBe(body.user.id.replace("user_", "acct_"));
    const account = await running.call(running.adminKey, "GET", `/v1/accounts/${body.user.accountId}`);
    expect(account.status).toBe(200);
    expect((await running.call(body.accessToken, "GET", "/api/auth/me")).body.user.id).toBe(body.user.id);
  });

  test("refuses what is taken (409), what is missing (400) and what cannot be (422)", async () => {
    const taken = await post("signup", { email: "ANN@example.org", password });
    expect([taken.status, taken.body.message]).toEqual([409, "email: belongs to somebody already"]);
    expect((await post("signup", { email: "x1@example.org", username: "ann", password })).status).toBe(409);
    expect((await post("signup", { password })).status).toBe(400);
    expect((await post("signup", { email: "x2@example.org", password: "short" })).status).toBe(422);
    expect((await post("signup", { email: "not an address", password })).status).toBe(422);
    const likeAnId = "user_0123456789abcdefghjkmnpq";
    expect((await post("signup", { email: "x3@example.org", username: likeAnId, password })).status).toBe(
      422,
    );
  });

  test("nobody chooses their own role", async () => {
    const { body } = await post("signup", { email: "sly@example.org", password, role: "admin" });
    expect(body.user.role).toBe("user");
    const direct = await running.call(
      null,
      "POST",
      "/api/identity/sign-up/email",
      {
        name: "Sly",
        email: "sly2@example.org",
        password,
        role: "admin",
      },
      { "content-type": "application/json" },
    );
    expect([200, 400]).toContain(direct.status);
    expect((await running.identity.people.find("sly2@example.org"))?.role ?? "user").toBe("user");
  });
});

describe("refresh", () => {
  test("gives a new pair, once", async () => {
    const first = await logIn("ann");
    const second = await post("refresh", { refreshToken: first.refreshToken });
    expect(second.status).toBe(200);
    expect(second.body.refreshToken).not.toBe(first.refreshToken);
    expect((await running.call(second.body.accessToken, "GET", "/api/auth/me")).status).toBe(200);
  });

  test("a used token that comes again ends the family, the newest token too", async () => {
    const first = await logIn("ann");
    const second = (await post("refresh", { refreshToken: first.refreshToken })).body;
    expect((await post("refresh", { refreshToken: first.refreshToken })).status).toBe(401);
    expect((await post("refresh", { refreshToken: second.refreshToken })).status).toBe(401);
  });

  test("of twenty refreshes at once with one token, one at most gets a pair, and the family ends", async () => {
    const { refreshToken } = await logIn("ann");
    const answers = await Promise.all(Array.from({ length: 20 }, () => post("refresh", { refreshToken })));
    const winners = answers.filter(({ status }) => status === 200);
    expect(winners.length).toBe(1);
    expect((await post("refresh", { refreshToken: winners[0]!.body.refreshToken })).status).toBe(401);
  });

  test("expires after 7 days, the access token after 15 minutes", async () => {
    const before = running.clock.time;
    const { accessToken, refreshToken } = await logIn("ann");
    running.clock.time = (before + 15 * 60 * 1e6) as typeof before;
    const late = await running.call(accessToken, "GET", "/api/auth/me");
    expect([late.status, late.body.message]).toEqual([401, "The access token has expired; refresh it"]);
    running.clock.time = (before + 7 * 86_400 * 1e6) as typeof before;
    expect((await post("refresh", { refreshToken })).body.message).toContain("has expired");
  });

  test("logout ends the session of whoever shows who they are, also beside a refresh token of before", async () => {
    const one = await logIn("ann");
    const answer = await post("logout", { refreshToken: "bsr_of_another_time" }, one.accessToken);
    expect(answer.status).toBe(200);
    expect((await post("refresh", { refreshToken: one.refreshToken })).status).toBe(401);
    expect((await post("logout", { refreshToken: one.refreshToken })).status).toBe(200);
    expect((await post("logout", {})).status).toBe(401);
  });

  test("logout ends the family; logout-all ends all of them and nobody else's", async () => {
    const [one, two, other] = [await logIn("ann"), await logIn("ann"), await logIn("sue")];
    expect((await post("logout", { refreshToken: one.refreshToken })).status).toBe(200);
    expect((await post("refresh", { refreshToken: one.refreshToken })).status).toBe(401);
    const again = (await post("refresh", { refreshToken: two.refreshToken })).body;
    expect((await post("logout-all", {}, again.accessToken)).status).toBe(200);
    expect((await post("refresh", { refreshToken: again.refreshToken })).status).toBe(401);
    expect((await post("refresh", { refreshToken: other.refreshToken })).status).toBe(200);
  });
});
