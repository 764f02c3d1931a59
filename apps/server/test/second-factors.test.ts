/** Second factors under master keys that change: real sign-ins on processes with other keys, on one database. */
import { randomBytes } from "node:crypto";
import { createTestDatabase, type TestDatabase } from "@bursar/database/testing";
import { libraryKeyOf, toLibrary } from "@bursar/identity/second-factor/factors";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openBrowser } from "./browser.ts";
import { type Running, startRunning } from "./running.ts";
import { codeOf, enrol } from "./totp.ts";

const [OLD, NEW] = [newKey(), newKey()];
const SECRET = "a secret of this test alone, 0123456789";
const password = "correct horse 9";

let database: TestDatabase;
/** Processes as they follow one another: before the change of keys, during it, and after. */
let before: Running;
let during: Running;
let after: Running;
let people = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  const processWith = (masterKeys: string[]) => startRunning(database.url, 0, {}, { masterKeys });
  before = await processWith([OLD]);
  during = await processWith([NEW, OLD]);
  after = await processWith([NEW]);
});
afterAll(async () => {
  for (const running of [before, during, after]) await running.close();
  await database.drop();
});

function newKey(): string {
  return randomBytes(32).toString("base64url");
}

const rotate = () => during.call(during.adminKey, "POST", "/v1/encryption/rotate");
const logIn = (running: Running, username: string, code?: string) =>
  running.call(null, "POST", "/api/auth/login", { username, password, code });
/** Codes are good once, and the same half minute has one code: the next test may want it again. */
const forgetCodes = () => before.engine.pool.query("delete from identity.used_codes");

async function stored(userId: string): Promise<{ secret: string; backup_codes: string }> {
  const sql = "select secret, backup_codes from identity.two_factors where user_id = $1";
  return (await before.engine.pool.query(sql, [userId])).rows[0];
}

async function somebodyCareful() {
  const username = `careful${++people}`;
  const facts = { username, email: `${username}@example.org`, password, emailVerified: true };
  const made = await before.identity.people.create(facts);
  if (made.kind !== "created") throw new Error("not made");
  const browser = openBrowser(before.url);
  await browser.post("/api/identity/sign-in/username", { username, password });
  const { secret, body } = await enrol(browser, password);
  const shared = new URL(body.totpURI).searchParams.get("secret")!;
  return { id: made.person.id, username, browser, secret, shared, backupCodes: body.backupCodes };
}

/** As the library wrote it before second factors were under the master key. */
async function makeOld(person: { id: string; secret: Buffer; backupCodes: string[] }): Promise<void> {
  const key = libraryKeyOf(SECRET);
  const texts = [person.secret.toString("utf8"), JSON.stringify(person.backupCodes)];
  const [secret, codes] = await Promise.all(texts.map((text) => toLibrary(key, text)));
  const sql = "update identity.two_factors set secret = $2, backup_codes = $3 where user_id = $1";
  await before.engine.pool.query(sql, [person.id, secret, codes]);
}

describe("a second factor", () => {
  beforeEach(forgetCodes);

  test("is stored sealed: neither the secret nor a backup code can be read, nor BURSAR_SECRET open it", async () => {
    const { id, secret, shared, backupCodes } = await somebodyCareful();
    const row = await stored(id);
    for (const text of [row.secret, row.backup_codes]) {
      expect(text).toMatch(/^aes1\.[0-9a-f]{12}\.[\w-]+$/);
      const readable = [text, Buffer.from(text.split(".")[2]!, "base64url").toString("latin1")].join();
      for (const plain of [shared, secret.toString("utf8"), ...backupCodes])
        expect(readable).not.toContain(plain);
    }
  });

  test("opens after the master key was rotated and the old one removed: sign-in, step-up, backup codes", async () => {
    const { id, username, secret, backupCodes } = await somebodyCareful();
    expect((await logIn(after, username, codeOf(secret, 1))).status).not.toBe(200);
    await forgetCodes();
    const rotated = await rotate();
    expect(rotated.status).toBe(200);
    expect(rotated.body).toMatchObject({ remaining: 0, damaged: [], missing: [], unreadable: [] });
    const fresh = await startRunning(database.url, 0, {}, { masterKeys: [NEW] });
    try {
      // Both from one moment: a half minute later the next code is the one of now.
      const [now, code] = [codeOf(secret, 0), codeOf(secret, 1)];
      expect((await logIn(fresh, username, code)).status).toBe(200);
      expect((await logIn(fresh, username, code)).status).toBe(401);
      const stepUp = (typed: string) => fresh.identity.stepUp({ personId: id, code: typed });
      expect(await stepUp(now)).toEqual({ kind: "passed" });
      expect(await stepUp("000000")).toEqual({ kind: "refused" });
      expect((await logIn(fresh, username, backupCodes[0])).status).toBe(200);
      expect((await logIn(fresh, username, backupCodes[0])).status).toBe(401);
      expect((await stored(id)).backup_codes).toMatch(/^aes1\./);
    } finally {
      await fresh.close();
    }
  });

  test("outlives a change of BURSAR_SECRET, which it is not encrypted with", async () => {
    const { username, secret } = await somebodyCareful();
    const changed = await startRunning(
      database.url,
      0,
      { secret: `${SECRET}, changed` },
      { masterKeys: [NEW, OLD] },
    );
    try {
      expect((await logIn(changed, username, codeOf(secret, 1))).status).toBe(200);
    } finally {
      await changed.close();
    }
  });

  test("of somebody else, copied into one's row, opens nothing", async () => {
    const [ada, bob] = [await somebodyCareful(), await somebodyCareful()];
    const copy = `update identity.two_factors b set secret = a.secret, backup_codes = a.backup_codes
      from identity.two_factors a where a.user_id = $1 and b.user_id = $2`;
    await during.engine.pool.query(copy, [ada.id, bob.id]);
    const [now, next] = [codeOf(ada.secret, 0), codeOf(ada.secret, 1)];
    for (const code of [next, codeOf(bob.secret, 1), ada.backupCodes[0], bob.backupCodes[0]])
      expect((await logIn(during, bob.username, code)).status).toBe(500);
    await expect(during.identity.stepUp({ personId: bob.id, code: now })).rejects.toMatchObject({
      name: "SecretUnreadable",
    });
    expect((await logIn(during, ada.username, next)).status).toBe(200);
  });

  test("gives each backup code once, also to twins, and new codes end the old ones", async () => {
    const { username, browser, backupCodes } = await somebodyCareful();
    const twins = await Promise.all([before, during].map((each) => logIn(each, username, backupCodes[1])));
    expect(twins.filter(({ status }) => status === 200)).toHaveLength(1);
    const renewed = await browser.post("/api/identity/two-factor/generate-backup-codes", { password });
    expect(renewed.body.backupCodes).toHaveLength(10);
    expect((await logIn(before, username, backupCodes[2])).status).toBe(401);
    expect((await logIn(before, username, renewed.body.backupCodes[2])).status).toBe(200);
    const uri = await browser.post("/api/identity/two-factor/get-totp-uri", { password });
    expect(uri.body.totpURI).toContain("otpauth://totp/");
  });
});

describe("a second factor of an older version", () => {
  beforeEach(forgetCodes);

  test("works as ever, and is sealed where it is met", async () => {
    const [signing, stepping] = [await somebodyCareful(), await somebodyCareful()];
    for (const person of [signing, stepping]) await makeOld(person);
    expect((await stored(signing.id)).secret).toMatch(/^[0-9a-f]+$/);
    expect((await logIn(during, signing.username, signing.backupCodes[0])).status).toBe(200);
    expect((await logIn(during, signing.username, codeOf(signing.secret, 1))).status).toBe(200);
    await forgetCodes();
    const passed = await during.identity.stepUp({ personId: stepping.id, code: codeOf(stepping.secret, 0) });
    expect(passed).toEqual({ kind: "passed" });
    for (const { id } of [signing, stepping]) {
      const row = await stored(id);
      expect([row.secret, row.backup_codes]).toEqual([
        expect.stringMatching(/^aes1\./),
        expect.stringMatching(/^aes1\./),
      ]);
    }
    expect((await logIn(during, signing.username, signing.backupCodes[0])).status).toBe(401);
  });

  test("is sealed by the rotation, which names those that it cannot read", async () => {
    const [ada, bob] = [await somebodyCareful(), await somebodyCareful()];
    for (const person of [ada, bob]) await makeOld(person);
    const broken = await toLibrary(libraryKeyOf("quite another secret"), "SECRET");
    const sql = "update identity.two_factors set secret = $2 where user_id = $1";
    await during.engine.pool.query(sql, [bob.id, broken]);
    expect((await rotate()).body).toMatchObject({ renewed: 1, unreadable: [bob.id] });
    expect((await rotate()).body).toMatchObject({ renewed: 0, unreadable: [bob.id] });
    expect((await stored(ada.id)).secret).toMatch(/^aes1\./);
    expect((await logIn(during, ada.username, codeOf(ada.secret, 1))).status).toBe(200);
    expect((await stored(bob.id)).secret).toBe(broken);
    await during.engine.pool.query("delete from identity.two_factors where user_id = $1", [bob.id]);
  });
});
