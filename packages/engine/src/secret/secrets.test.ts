import { randomBytes } from "node:crypto";
import type { AccountId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import { openPool } from "@bursar/database/pool";
import { createTestDatabase, type TestDatabase } from "@bursar/database/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openMasterKeys } from "./master-keys.ts";
import { type FieldName, openSecrets } from "./secrets.ts";

const [OLD, NEW, THIRD] = [newKey(), newKey(), newKey()];
const FIELD: FieldName = "topup_policies.last_triggered";
const OTHER_FIELD: FieldName = "topup_policies.payment_method";
const clock = { now: () => 1_790_000_000_000_000 as Instant };

let database: TestDatabase;
let pool: ReturnType<typeof openPool>;
beforeAll(async () => {
  database = await createTestDatabase();
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  pool = openPool({ url: database.url, applicationName: "secrets", role: "bursar_app", log });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

function newKey(): string {
  return randomBytes(32).toString("base64url");
}

let accounts = 0;
const account = () => `acct_secret_${++accounts}` as AccountId;

/** What another process would have: its own caches and its own settings. */
const processWith = (...keys: string[]) => openSecrets({ pool, clock }, openMasterKeys(keys));
const masterIdOf = (key: string) => openMasterKeys([key]).newest!.id;

describe("a sealed text", () => {
  it("opens in every process, is never twice the same, and shows nothing", async () => {
    const [one, other, ada] = [processWith(NEW), processWith(NEW), account()];
    for (const text of ["2026-11-21T10:00:00Z", "", "ünïcode ¥ 🎟", "x".repeat(10_000)]) {
      const sealed = await one.seal(ada, FIELD, text);
      expect(await other.open(ada, FIELD, sealed)).toBe(text);
      expect(await one.seal(ada, FIELD, text)).not.toBe(sealed);
      if (text !== "") expect(Buffer.from(sealed.split(".")[2]!, "base64url").toString()).not.toContain(text);
    }
  });

  it("does not open when any character of it was changed, or when it was cut", async () => {
    const [secrets, ada] = [processWith(NEW), account()];
    const sealed = await secrets.seal(ada, FIELD, "secret");
    for (let index = 0; index < sealed.length; index++) {
      const changed = sealed[index] === "A" ? "B" : "A";
      const tampered = `${sealed.slice(0, index)}${changed}${sealed.slice(index + 1)}`;
      const opened = await secrets.open(ada, FIELD, tampered).catch((error: unknown) => error);
      // The last character may carry bits that no byte uses.
      if (index === sealed.length - 1 && opened === "secret") continue;
      expect([index, opened]).toEqual([index, expect.objectContaining({ name: "SecretUnreadable" })]);
    }
    await expect(secrets.open(ada, FIELD, sealed.slice(0, -9))).rejects.toThrow("was changed");
    await expect(secrets.open(ada, FIELD, "aes1.000000000000.AAAA")).rejects.toThrow(
      "no data key 000000000000",
    );
  });

  it("does not open in another field or under another account", async () => {
    const [secrets, ada, bob] = [processWith(NEW), account(), account()];
    const sealed = await secrets.seal(ada, FIELD, "hers");
    await secrets.seal(bob, FIELD, "his");
    await expect(secrets.open(ada, OTHER_FIELD, sealed)).rejects.toThrow("moved from elsewhere");
    await expect(secrets.open(bob, FIELD, sealed)).rejects.toMatchObject({ reason: "data_key_unknown" });
    await pool.query(
      "update data_keys b set key_id = a.key_id, wrapped = a.wrapped from data_keys a where a.account_id = $1 and b.account_id = $2",
      [ada, bob],
    );
    await expect(processWith(NEW).open(bob, FIELD, sealed)).rejects.toMatchObject({ reason: "damaged" });
  });

  it("is decrypted only when the cache does not know it, and another text never answers for it", async () => {
    const [secrets, ada] = [processWith(NEW), account()];
    const [one, two] = [await secrets.seal(ada, FIELD, "one"), await secrets.seal(ada, FIELD, "two")];
    expect([await secrets.open(ada, FIELD, one), await secrets.open(ada, FIELD, two)]).toEqual([
      "one",
      "two",
    ]);
    expect(secrets.counts()).toEqual({ hits: 2, misses: 0 });
    const fresh = processWith(NEW);
    const opened = await Promise.all(Array.from({ length: 10 }, () => fresh.open(ada, FIELD, one)));
    expect(new Set(opened)).toEqual(new Set(["one"]));
    expect(fresh.counts()).toEqual({ hits: 9, misses: 1 });
    await expect(secrets.open(account(), FIELD, one)).rejects.toMatchObject({ name: "SecretUnreadable" });
    await expect(secrets.open(ada, OTHER_FIELD, one)).rejects.toMatchObject({ name: "SecretUnreadable" });
  });

  it("is under one data key, however many processes need the first one at once", async () => {
    const ada = account();
    const processes = Array.from({ length: 8 }, () => processWith(NEW));
    const sealed = await Promise.all(processes.map((each, index) => each.seal(ada, FIELD, `text ${index}`)));
    expect(new Set(sealed.map((text) => text.split(".")[1])).size).toBe(1);
    const opened = await Promise.all(sealed.map((text) => processes[0]!.open(ada, FIELD, text)));
    expect(opened).toEqual(sealed.map((_, index) => `text ${index}`));
  });

  it("whose master key is not set names it, and says where it belongs", async () => {
    const ada = account();
    const sealed = await processWith(OLD).seal(ada, FIELD, "text");
    const error = await processWith(NEW)
      .open(ada, FIELD, sealed)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "SecretUnreadable", reason: "master_key_missing" });
    expect((error as Error).message).toContain(masterIdOf(OLD));
    expect((error as Error).message).toContain("BURSAR_OLD_MASTER_KEYS");
    await expect(processWith().seal(account(), FIELD, "text")).rejects.toThrow("BURSAR_MASTER_KEY");
    const missing = await processWith(NEW).missingMasterKeys();
    expect(missing).toContainEqual({ masterKeyId: masterIdOf(OLD), dataKeys: expect.any(Number) });
  });
});

describe("a kept field", () => {
  it("is decrypted only when the cache does not know it", async () => {
    const [secrets, ada] = [processWith(NEW), account()];
    expect(await secrets.read(ada, FIELD)).toBeNull();
    await secrets.write(ada, FIELD, "one");
    for (let times = 0; times < 5; times++) expect(await secrets.read(ada, FIELD)).toBe("one");
    expect(secrets.counts()).toEqual({ hits: 5, misses: 1 });
    const fresh = processWith(NEW);
    const reads = await Promise.all(Array.from({ length: 10 }, () => fresh.read(ada, FIELD)));
    expect(new Set(reads)).toEqual(new Set(["one"]));
    expect(fresh.counts()).toEqual({ hits: 9, misses: 1 });
  });

  it("is in the database encrypted, and gone when it is removed", async () => {
    const [secrets, ada] = [processWith(NEW), account()];
    await secrets.write(ada, FIELD, "plain text");
    const find = () => pool.query("select sealed from encrypted_fields where account_id = $1", [ada]);
    const { rows } = await find();
    expect(await processWith(NEW).open(ada, FIELD, rows[0].sealed)).toBe("plain text");
    expect(rows[0].sealed).not.toContain("plain");
    await secrets.write(ada, FIELD, null);
    expect((await find()).rows).toEqual([]);
    expect(await secrets.read(ada, FIELD)).toBeNull();
  });

  it("written by another process is seen when the cache has grown old", async () => {
    let elapsed = 0;
    const settings = { lifetimeMilliseconds: 1000, elapsedMilliseconds: () => elapsed };
    const reader = openSecrets({ pool, clock }, openMasterKeys([NEW]), settings);
    const [writer, ada] = [processWith(NEW), account()];
    await writer.write(ada, FIELD, "one");
    expect(await reader.read(ada, FIELD)).toBe("one");
    await writer.write(ada, FIELD, "two");
    expect(await reader.read(ada, FIELD)).toBe("one");
    elapsed = 1000;
    expect(await reader.read(ada, FIELD)).toBe("two");
  });

  it("that could not be written is not believed", async () => {
    const [secrets, ada] = [processWith(NEW), account()];
    await secrets.write(ada, FIELD, "one");
    const broken = openSecrets({ pool, clock }, openMasterKeys([]));
    await expect(broken.write(ada, FIELD, "two")).rejects.toThrow();
    await expect(broken.read(ada, FIELD)).rejects.toThrow();
    expect(await secrets.read(ada, FIELD)).toBe("one");
  });

  it("that several write at once is afterwards what the database says", async () => {
    const [secrets, ada] = [processWith(NEW), account()];
    const texts = Array.from({ length: 12 }, (_, index) => `text ${index}`);
    await Promise.all(texts.map((text) => secrets.write(ada, FIELD, text)));
    expect(await secrets.read(ada, FIELD)).toBe(await processWith(NEW).read(ada, FIELD));
  });
});

describe("the rotation of master keys", () => {
  it("rewraps every data key once, beside readers and writers, and then has nothing to do", async () => {
    await pool.query("delete from encrypted_fields");
    const before = processWith(OLD);
    const people = Array.from({ length: 450 }, account);
    const sealed = await Promise.all(people.map((each) => before.seal(each, FIELD, `of ${each}`)));

    const server = processWith(NEW, OLD);
    let isOver = false;
    const work = async (reader: typeof server) => {
      for (let index = 0; !isOver; index = (index + 7) % people.length) {
        const person = people[index]!;
        expect(await reader.open(person, FIELD, sealed[index]!)).toBe(`of ${person}`);
        await reader.write(person, OTHER_FIELD, `kept for ${person}`);
      }
    };
    const working = [work(server), work(processWith(NEW, OLD)), work(before)];
    const rotations = await Promise.all([server.rotate(), processWith(NEW, OLD).rotate()]);
    isOver = true;
    await Promise.all(working);

    const rewrapped = rotations.reduce((sum, rotation) => sum + rotation.rewrapped, 0);
    const ours = await pool.query(
      "select count(*)::int4 as count from data_keys where account_id = any($1) and master_key_id = $2",
      [people, masterIdOf(NEW)],
    );
    expect(ours.rows[0].count).toBe(450);
    expect(rewrapped).toBeGreaterThanOrEqual(450);
    expect(await server.rotate()).toMatchObject({ masterKeyId: masterIdOf(NEW), rewrapped: 0, remaining: 0 });

    const after = processWith(NEW);
    const opened = await Promise.all(people.map((each, index) => after.open(each, FIELD, sealed[index]!)));
    expect(opened).toEqual(people.map((each) => `of ${each}`));
    expect(await after.read(people[0]!, OTHER_FIELD)).toBe(`kept for ${people[0]}`);
  });

  it("that was stopped in the middle goes on where it was", async () => {
    const people = Array.from({ length: 5 }, account);
    for (const each of people) await processWith(OLD).seal(each, FIELD, "text");
    const holder = await pool.connect();
    await holder.query("begin");
    await holder.query("select from data_keys where account_id = any($1) for update", [people.slice(0, 2)]);
    const first = await processWith(NEW, OLD).rotate();
    expect([first.rewrapped, first.remaining]).toEqual([3, 2]);
    await holder.query("rollback");
    holder.release();
    const second = await processWith(NEW, OLD).rotate();
    expect([second.rewrapped, second.remaining]).toEqual([2, 0]);
  });

  it("leaves alone, and names, what is damaged and what needs a key that is not set", async () => {
    const [damaged, foreign] = [account(), account()];
    await processWith(OLD).seal(damaged, FIELD, "text");
    await pool.query(
      "update data_keys set wrapped = set_byte(wrapped, 20, 255 - get_byte(wrapped, 20)) where account_id = $1",
      [damaged],
    );
    await processWith(THIRD).seal(foreign, FIELD, "text");
    const rotation = await processWith(NEW, OLD).rotate();
    expect(rotation).toMatchObject({
      rewrapped: 0,
      remaining: 0,
      damaged: [damaged],
      missing: [{ masterKeyId: masterIdOf(THIRD), dataKeys: 1 }],
    });
  });
});
