import { NotAName } from "@bursar/identity/people/naming";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Running, startRunning } from "./running.ts";

const password = "correct horse 9";
let running: Running;
let root: string;
let ann: string;

beforeAll(async () => {
  running = await startRunning();
  await running.identity.people.create({
    username: "root",
    email: "root@example.org",
    password,
    role: "admin",
    emailVerified: true,
  });
  await running.identity.people.create({
    username: "ann",
    email: "ann@example.org",
    password,
    emailVerified: true,
  });
  root = await logIn("root");
  ann = await logIn("ann");
});
afterAll(() => running.close());

async function logIn(username: string): Promise<string> {
  return (await running.call(null, "POST", "/api/auth/login", { username, password })).body.accessToken;
}

async function keyOf(username: string): Promise<string> {
  const { accountId } = (await running.identity.people.find(username))!;
  const made = await running.engine.keys.create({ accountId, by: "test" });
  if (made.kind !== "created") throw new Error("no key");
  return made.key;
}

const admin = (method: string, path: string, body?: unknown, token: string | null = root) =>
  running.call(token, method, `/api/auth/admin${path}`, body);

describe("finding or making", () => {
  test.each(["new.person@example.org", "somebody-new", "user_0123456789abcdefghjkmnpq"])(
    "fifty at once make one person with one account: %s",
    async (named) => {
      const fifty = Array.from({ length: 50 }, () => running.identity.people.findOrCreate(named));
      const found = await Promise.all(fifty);
      expect(new Set(found.map(({ id }) => id)).size).toBe(1);
      const { id, accountId } = found[0]!;
      expect(accountId).toBe(id.replace("user_", "acct_"));
      expect((await running.call(running.adminKey, "GET", `/v1/accounts/${accountId}`)).status).toBe(200);
      const { rows } = await running.engine.pool.query(
        "select count(*)::int4 as count from identity.people where id = $1",
        [id],
      );
      expect(rows[0].count).toBe(1);
      expect(
        await running.identity.people.find(named.toUpperCase().replace("USER_", "user_").toLowerCase()),
      ).toEqual(found[0]);
    },
  );

  test("an id is found in any case, as names are", async () => {
    const id = "user_1123456789abcdefghjkmnpq";
    const made = await running.identity.people.findOrCreate(id);
    expect(await running.identity.people.findOrCreate(id.toUpperCase())).toEqual(made);
  });

  test("a username that somebody has given up makes somebody new", async () => {
    const before = await running.identity.people.findOrCreate("given-up");
    await running.engine.pool.query("update identity.people set username = 'changed' where id = $1", [
      before.id,
    ]);
    const after = await running.identity.people.findOrCreate("given-up");
    expect([after.id === before.id, after.username]).toEqual([false, "given-up"]);
    const made = await running.identity.people.create({ username: "given-up-too" });
    expect(made.kind).toBe("created");
    expect((await running.identity.people.create({ username: "given-up-too" })).kind).toBe("taken");
  });

  test("what could name nobody makes nobody", async () => {
    for (const named of ["", "a", "two words", "user_short@", "x".repeat(65), "acct/1"]) {
      await expect(running.identity.people.findOrCreate(named), named).rejects.toBeInstanceOf(NotAName);
    }
  });

  test("an account that a crash has kept from a person is made at their next use", async () => {
    await running.engine.pool.query(
      `insert into identity.people (id, name, email, created_at, updated_at)
       values ('user_aaaaaaaaaaaaaaaaaaaaaaaa', 'Crashed', 'crashed@example.org', now(), now())`,
    );
    const path = "/v1/accounts/acct_aaaaaaaaaaaaaaaaaaaaaaaa";
    expect((await running.call(running.adminKey, "GET", path)).status).toBe(404);
    await Promise.all([1, 2, 3].map(() => running.identity.people.find("crashed@example.org")));
    expect((await running.call(running.adminKey, "GET", path)).status).toBe(200);
  });

  test("a list has everybody once, page by page, and a role alone where asked", async () => {
    const seen: string[] = [];
    for (let cursor = ""; ; ) {
      const page = (await admin("GET", `/users?limit=2${cursor}`)).body;
      seen.push(...page.users.map((user: { id: string }) => user.id));
      if (page.nextCursor === null) break;
      cursor = `&cursor=${page.nextCursor}`;
    }
    const { rows } = await running.engine.pool.query("select id from identity.people order by id");
    expect(seen).toEqual(rows.map((row) => row.id));
    const admins = (await admin("GET", "/users?role=admin")).body.users;
    expect(admins.map((user: { username: string }) => user.username)).toEqual(["root"]);
  });
});

describe("administration", () => {
  test.each([
    ["GET", "/users"],
    ["POST", "/users"],
    ["POST", "/users/batch"],
    ["GET", "/users/ann"],
    ["PUT", "/users/ann/role"],
    ["PUT", "/users/ann/disabled"],
    ["DELETE", "/users/ann"],
    ["POST", "/keys/rotate"],
  ])("is for administrators alone: %s %s", async (method, path) => {
    const body = method === "GET" ? undefined : {};
    expect((await admin(method, path, body, null)).status).toBe(401);
    expect((await admin(method, path, body, "eyJhbGciOiJFZERTQSJ9.e30.x")).status).toBe(401);
    expect((await admin(method, path, body, ann)).status).toBe(403);
    expect((await admin(method, path, body, running.adminKey)).status).toBe(401);
  });

  test.each<[string, string, object?]>([
    ["DELETE", ""],
    ["PUT", "/role", { role: "user" }],
    ["PUT", "/disabled", { disabled: true }],
  ])(
    "is never without anybody, however many take one another's away at once: %s %s",
    async (method, path, body) => {
      const { people } = running.identity;
      const names = ["ada", "bea", "cleo", "dina"].map(
        (name) => `${name}-${method.toLowerCase()}${path.replace("/", "-")}`,
      );
      for (const username of names)
        await people.create({ username, email: `${username}@example.org`, password, role: "admin" });
      const tokens = await Promise.all(names.map(logIn));
      const keys = await Promise.all(names.map(keyOf));
      await people.setRole((await people.find("root"))!.id, "user");
      const takeAway = (name: string, by: number) => admin(method, `/users/${name}${path}`, body, tokens[by]);
      // Each takes away the next, all at once, until nobody can take away anybody any more.
      for (let round = 1; round < names.length; round += 1)
        await Promise.all(names.map((_, by) => takeAway(names[(by + round) % names.length]!, by)));
      const { rows } = await running.engine.pool.query<{ username: string }>(
        "select username from identity.people where role = 'admin' and not disabled",
      );
      expect(rows).toHaveLength(1);
      const left = names.indexOf(rows[0]!.username);
      expect((await running.call(keys[left]!, "GET", "/v1/balance")).status).toBe(200);
      expect((await admin(method, `/users/${names[left]}${path}`, body, tokens[left])).status).toBe(409);
      expect((await people.setRole((await people.find("root"))!.id, "admin")).kind).toBe("changed");
      expect((await admin("PUT", `/users/${names[left]}/role`, { role: "user" })).status).toBe(200);
    },
  );

  test("makes, changes, disables and deletes people, and names what is wrong", async () => {
    const made = await admin("POST", "/users", {
      username: "Carl",
      email: "carl@example.org",
      password,
      role: "supervisor",
    });
    expect([made.status, made.body.user.username, made.body.user.role]).toEqual([201, "carl", "supervisor"]);
    expect((await admin("POST", "/users", { username: "carl", email: "other@example.org" })).status).toBe(
      409,
    );
    expect((await admin("POST", "/users", { email: "carl@example.org" })).body.message).toMatch(/^email: /);
    expect((await admin("POST", "/users", { role: "admin" })).body.message).toMatch(/^username: /);
    expect((await admin("POST", "/users", { username: "dora", role: "owner" })).body.message).toMatch(
      /^role: /,
    );
    expect((await admin("POST", "/users", { username: "dora", password: "short" })).body.message).toMatch(
      /^password: /,
    );
    expect((await admin("PUT", "/users/carl/role", { role: "owner" })).status).toBe(400);
    expect((await admin("PUT", "/users/carl/role", { role: "user" })).body.user.role).toBe("user");
    expect((await admin("PUT", "/users/nobody/role", { role: "user" })).status).toBe(404);
    expect((await admin("PUT", "/users/carl/disabled", { disabled: "yes" })).status).toBe(400);
    expect((await admin("PUT", "/users/carl/disabled", { disabled: true })).status).toBe(200);
    expect((await admin("DELETE", "/users/carl")).status).toBe(200);
    expect((await admin("DELETE", "/users/carl")).status).toBe(404);
    expect((await admin("GET", "/users/carl")).status).toBe(404);
  });

  test("names with NUL are a caller's mistake, wherever they stand", async () => {
    expect((await admin("GET", "/users/a%00b")).status).toBe(400);
    expect((await admin("POST", "/users", { email: "nul@example.org", name: "a\0b" })).status).toBe(400);
    const logIn = await running.call(null, "POST", "/api/auth/login", { username: "a\0b", password });
    expect([logIn.status, logIn.body.message]).toEqual([400, expect.stringContaining("NUL")]);
  });

  test("cannot be left without an administrator by mistake", async () => {
    expect((await admin("PUT", "/users/root/role", { role: "user" })).status).toBe(409);
    expect((await admin("PUT", "/users/root/disabled", { disabled: true })).status).toBe(409);
    expect((await admin("DELETE", "/users/root@example.org")).status).toBe(409);
  });

  test("an administrator whose deletion breaks down stays one", async () => {
    const { people } = running.identity;
    await people.create({ username: "fern", password, role: "admin" });
    const holder = await running.engine.pool.connect();
    await holder.query("set role none");
    await holder.query("begin");
    await holder.query("lock table chat_sessions in exclusive mode");
    const deletion = admin("DELETE", "/users/fern");
    const cut = `select pg_cancel_backend(pid) from pg_locks
      where not granted and relation = 'chat_sessions'::regclass`;
    while ((await holder.query(cut)).rowCount === 0);
    expect((await deletion).status).toBe(503);
    expect((await people.find("fern"))?.role).toBe("admin");
    await holder.query("rollback");
    holder.release(true);
    expect((await admin("DELETE", "/users/fern")).status).toBe(200);
  });

  test("a batch makes whom it can and names the others", async () => {
    const users = [
      { username: "eve", password },
      { username: "ann" },
      "nonsense",
      { email: "fay@example.org" },
    ];
    const { status, body } = await admin("POST", "/users/batch", { users });
    expect(status).toBe(201);
    expect(body.created.map((user: { name: string }) => user.name)).toEqual(["eve", "fay"]);
    expect(body.failed.map((each: { index: number }) => each.index)).toEqual([1, 2]);
    expect((await admin("POST", "/users/batch", { users: [] })).status).toBe(400);
    expect((await admin("POST", "/users/batch", { users: [{ username: "ann" }] })).status).toBe(422);
    expect((await running.call(null, "POST", "/api/auth/login", { username: "eve", password })).status).toBe(
      200,
    );
  });
});
