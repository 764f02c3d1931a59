import { request } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { addSeconds } from "@bursar/contract/instant";
import { withTransaction } from "@bursar/database/transaction";
import { deliverMails } from "@bursar/engine/mail/deliver";
import type { MailMessage } from "@bursar/engine/mail/mail";
import { enqueueMail } from "@bursar/engine/mail/outbox";
import { countMails, takeDueMails } from "@bursar/engine/mail/store";
import { startSandboxMail } from "@bursar/sandbox/mail";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { messageIdOf, openSmtp } from "../src/mail/smtp.ts";
import { type SandboxWorld, silentLog, startSandboxWorld } from "./sandbox-world.ts";

let world: SandboxWorld;

beforeAll(async () => {
  world = await startSandboxWorld();
});

beforeEach(async () => {
  await world.background.settle();
  await world.engine.pool.query("delete from mails");
  await world.mail.clear();
});

afterAll(() => world.close());

/** fetch does not let a test choose the Host. */
function statusUnder(host: string, url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(`${url}/sandbox/mail`, { headers: { host } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode!);
    });
    asked.on("error", reject).end();
  });
}

let ids = 0;
const letter = (fields: Partial<MailMessage> = {}): MailMessage => ({
  id: `test:${++ids}`,
  to: "ada@sandbox.test",
  subject: "Hello",
  text: "A line.\n",
  ...fields,
});
const recipients = () => world.mail.list().flatMap(({ to }) => to);
const rowOf = async (id: string) =>
  (await world.engine.pool.query("select * from mails where mail_id = $1", [id])).rows[0];

describe("mail", () => {
  it("goes by SMTP into the sandbox's mailbox, and is read over HTTP", async () => {
    const message = letter({ subject: "Grüße", html: "<p>A line.</p>" });
    await world.engine.mail.send(message);
    await expect.poll(() => world.mail.list().length).toBe(1);
    const list = await world.call(null, "GET", "/sandbox/mail?to=ada@sandbox.test");
    expect(list.body.mails).toMatchObject([
      { to: [message.to], subject: "Grüße", from: "Bursar <bursar@sandbox.test>" },
    ]);
    const one = await world.call(null, "GET", `/sandbox/mail/${list.body.mails[0].id}`);
    expect(one.body).toMatchObject({
      messageId: messageIdOf(message.id, "bursar@sandbox.test"),
    });
    expect(one.body.text.trim()).toBe("A line.");
    expect(one.body.html).toContain("<p>A line.</p>");
  });

  it("is read on this machine alone, or with the admin key", async () => {
    const read = async (headers: Record<string, string>, method = "GET") =>
      (await fetch(`${world.url}/sandbox/mail`, { method, headers })).status;
    const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
    const basic = (key: string) => ({
      authorization: `Basic ${Buffer.from(`anybody:${key}`).toString("base64")}`,
    });
    expect(await read({})).toBe(200);
    // As a proxy, a tunnel, or a page from elsewhere under a name that leads here would ask.
    for (const passedOn of [{ "x-forwarded-for": "203.0.113.9" }, { via: "1.1 tunnel" }]) {
      expect(await read(passedOn)).toBe(401);
      expect(await read(passedOn, "DELETE")).toBe(401);
      expect(await read({ ...passedOn, ...bearer("bsa_wrong") })).toBe(401);
      expect(await read({ ...passedOn, ...bearer(world.accountKey) })).toBe(403);
      expect(await read({ ...passedOn, ...bearer(world.adminKey) })).toBe(200);
      expect(await read({ ...passedOn, ...basic(world.adminKey) })).toBe(200);
      expect(await read({ ...passedOn, ...basic("wrong") })).toBe(401);
    }
    const asked = await fetch(`${world.url}/sandbox/mail`, { headers: { via: "1.1 tunnel" } });
    expect(asked.headers.get("www-authenticate")).toMatch(/^Basic realm=/);
    expect(await statusUnder("evil.example", world.url)).toBe(401);
    expect(await statusUnder("localhost:3000", world.url)).toBe(200);
    expect(await statusUnder("[::1]:3000", world.url)).toBe(200);
    expect(await statusUnder("0.0.0.0:3000", world.url)).toBe(200);
  });

  it("of a sign-up confirms the address with what it carries", async () => {
    const email = "grace@sandbox.test";
    const password = "correct horse battery";
    const signedUp = await world.call(null, "POST", "/api/auth/signup", {
      email,
      username: "grace",
      password,
    });
    expect(signedUp.status).toBe(201);
    await expect.poll(() => world.mail.list(email).length).toBe(1);
    const token = /^\S{40,}$/m.exec(world.mail.list(email)[0]!.text.replace(/^https?:.*$/gm, ""))![0];
    const login = () => world.call(null, "POST", "/api/auth/login", { email, password });
    expect((await login()).status).toBe(403);
    expect((await world.call(null, "POST", "/api/auth/verify-email", { token })).status).toBe(200);
    expect((await login()).status).toBe(200);
  });

  it("is sent once, however often and by however many its id is sent", async () => {
    const message = letter();
    await Promise.all(Array.from({ length: 20 }, () => world.engine.mail.send(message)));
    await world.background.settle();
    await world.engine.mail.send(message);
    await world.background.settle();
    expect(world.mail.list()).toHaveLength(1);
  });

  it("is not kept after it has gone: neither text nor markup", async () => {
    const message = letter({ html: "<p>secret</p>" });
    await world.engine.mail.send(message);
    await world.background.settle();
    expect(await rowOf(message.id)).toMatchObject({
      body_text: null,
      body_html: null,
      due_at: null,
      attempts: 1,
    });
  });

  it("goes if the transaction commits, and not if it does not", async () => {
    const { engine } = world;
    const undone = withTransaction(engine.pool, async (client) => {
      await enqueueMail(engine, client, letter({ to: "undone@sandbox.test" }));
      throw new Error("no");
    });
    await expect(undone).rejects.toThrow("no");
    await withTransaction(engine.pool, (client) =>
      enqueueMail(engine, client, letter({ to: "done@sandbox.test" })),
    );
    await world.background.settle();
    expect(recipients()).toEqual(["done@sandbox.test"]);
  });

  it("reaches each address once when several processes deliver at the same time", async () => {
    const addresses = Array.from({ length: 40 }, (_, index) => `person${index}@sandbox.test`);
    for (const to of addresses) await world.engine.mail.send(letter({ to }));
    const deliver = async () => {
      while ((await deliverMails(world.engine, world.smtp)) > 0);
    };
    await Promise.all([deliver(), deliver(), deliver()]);
    await world.background.settle();
    expect(recipients().toSorted()).toEqual(addresses.toSorted());
  });

  it("is sent again by another process when one died with it in hand, under the same Message-ID", async () => {
    const { engine, clock } = world;
    const message = letter();
    // Due later, so that the background leaves it to the one that dies.
    await enqueueMail({ clock: { now: () => addSeconds(clock.now(), 60) } }, engine.pool, message);
    const taking = { now: addSeconds(clock.now(), 61), limit: 10, leaseSeconds: 120 };
    expect(await takeDueMails(engine.pool, taking)).toMatchObject([{ id: message.id, attempts: 1 }]);
    await clock.advance({ unit: "seconds", count: 120 });
    await world.background.settle();
    expect(recipients()).toEqual([]);
    await engine.pool.query("update mails set leased_until = now() - interval '1 second'");
    await world.background.settle();
    expect(world.mail.list()).toMatchObject([{ messageId: messageIdOf(message.id, "bursar@sandbox.test") }]);
  });

  it("goes to exactly the one address, whatever the address looks like", async () => {
    await world.engine.mail.send(letter({ to: "o'brien+credits=1@sandbox.test" }));
    await world.background.settle();
    expect(recipients()).toEqual(["o'brien+credits=1@sandbox.test"]);
  });

  it.each<[Partial<MailMessage>, string]>([
    [{ to: "ada@sandbox.test, eve@sandbox.test" }, "to: must be one address"],
    [{ to: "Ada <ada@sandbox.test>" }, "to: must be one address"],
    [{ to: "ada" }, "to: must be one address"],
    [{ to: "ada@sandbox.test\r\nBcc: eve@sandbox.test" }, "to: must be one address"],
    [{ subject: "Hi\r\nBcc: eve@sandbox.test" }, "subject: must be one line"],
    [{ subject: "" }, "subject: must be one line"],
    [{ text: "" }, "text: must not be empty"],
    [{ text: "a\u0000b" }, "text, html: must not contain NUL"],
    [{ id: "" }, "id: must be 1 to 200 characters"],
  ])("is refused before it is taken in: %j", async (fields, message) => {
    await expect(world.engine.mail.send(letter(fields))).rejects.toThrow(message);
    expect(await countMails(world.engine.pool)).toEqual({ waiting: 0, sent: 0, givenUp: 0 });
  });
});

describe("a mail server", () => {
  it("that refuses an address for good is not asked again", async () => {
    const message = letter({ to: "bounce@sandbox.test" });
    await world.engine.mail.send(message);
    await world.background.settle();
    const row = await rowOf(message.id);
    expect(row).toMatchObject({ attempts: 1, due_at: null, body_text: null });
    expect(row.given_up_at).not.toBeNull();
    expect(row.last_error).toContain("no such mailbox");
  });

  it("that is busy is asked again later, and after three days no more", async () => {
    const { engine, clock } = world;
    const message = letter({ to: "later@sandbox.test" });
    await engine.mail.send(message);
    await world.background.settle();
    expect(await rowOf(message.id)).toMatchObject({ attempts: 1, body_text: "A line.\n", given_up_at: null });
    await clock.advance({ unit: "seconds", count: 11 });
    await world.background.settle();
    expect((await rowOf(message.id)).attempts).toBe(2);
    await clock.advance({ unit: "seconds", count: 3 * 86_400 });
    await world.background.settle();
    expect((await rowOf(message.id)).given_up_at).not.toBeNull();
    await clock.advance({ unit: "seconds", count: 31 * 86_400 });
    await world.background.settle();
    expect(await rowOf(message.id)).toBeUndefined();
  });

  it("that is away loses nothing: mail goes when it is back", async () => {
    const { engine, clock } = world;
    const port = await freePort();
    const smtp = openSmtp({ url: `smtp://127.0.0.1:${port}`, from: "bursar@sandbox.test" });
    const ahead = { ...engine, clock: { now: () => addSeconds(clock.now(), 3600) } };
    await enqueueMail(ahead, engine.pool, letter({ to: "patient@sandbox.test" }));
    expect(await deliverMails({ ...ahead, log: silentLog }, smtp)).toBe(1);
    expect(await countMails(engine.pool)).toEqual({ waiting: 1, sent: 0, givenUp: 0 });
    const back = await startSandboxMail({ port });
    const later = { ...engine, clock: { now: () => addSeconds(clock.now(), 3700) } };
    expect(await deliverMails(later, smtp)).toBe(1);
    expect(back.list().map(({ to }) => to)).toEqual([["patient@sandbox.test"]]);
    expect(await countMails(engine.pool)).toEqual({ waiting: 0, sent: 1, givenUp: 0 });
    await back.close();
  });
});

it("what waits, went and was given up is measured, and /ready says where mail goes", async () => {
  await world.engine.mail.send(letter());
  await world.engine.mail.send(letter({ to: "bounce@sandbox.test" }));
  await world.background.settle();
  const metrics = await (await fetch(`${world.url}/metrics`)).text();
  expect(metrics).toContain('bursar_mails{state="sent"} 1');
  expect(metrics).toContain('bursar_mails{state="given_up"} 1');
  expect((await world.call(null, "GET", "/ready")).body).toMatchObject({ status: "ready", mail: "sandbox" });
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
