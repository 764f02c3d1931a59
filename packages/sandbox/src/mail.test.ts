import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTransport } from "nodemailer";
import { afterEach, expect, it } from "vitest";
import { type SandboxMail, type SandboxMailOptions, startSandboxMail } from "./mail.ts";

const started: SandboxMail[] = [];
const folders: string[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((mail) => mail.close()));
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
});

async function start(options: SandboxMailOptions = {}): Promise<SandboxMail> {
  const mail = await startSandboxMail(options);
  started.push(mail);
  return mail;
}

const LETTER = {
  from: "Bursar <bursar@sandbox.test>",
  to: "ada@sandbox.test",
  subject: "Grüße & <b>more</b>",
  text: "Go to https://example.com/verify?token=a&b=<1>\n",
  html: '<p>Hi</p><script>alert("no")</script>',
};

async function send(mail: SandboxMail, letter: Partial<typeof LETTER> = {}): Promise<string> {
  const { response } = await createTransport(mail.smtpUrl).sendMail({ ...LETTER, ...letter });
  return response;
}

async function ask(mail: SandboxMail, path: string, init: RequestInit = {}): Promise<Response> {
  return (await mail.answer(new Request(`http://sandbox${path}`, init)))!;
}

const asBrowser = { headers: { accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" } };

it("keeps what SMTP delivers, and gives it back as JSON", async () => {
  const mail = await start({ now: () => new Date("2030-05-01T10:00:00Z") });
  expect(await send(mail)).toMatch(/^250 .*kept as mail_1$/);
  const list = await (await ask(mail, "/sandbox/mail")).json();
  const summary = {
    id: "mail_1",
    receivedAt: "2030-05-01T10:00:00.000Z",
    from: LETTER.from,
    to: [LETTER.to],
    subject: LETTER.subject,
  };
  expect(list).toEqual({ mails: [summary] });
  const one = await (await ask(mail, "/sandbox/mail/mail_1")).json();
  const { html } = LETTER;
  expect(one).toMatchObject({ ...summary, html: expect.stringContaining(html) });
  expect((one as { text: string }).text.trim()).toBe(LETTER.text.trim());
});

it("lists newest first, by address where one is asked for, and empties", async () => {
  const mail = await start();
  await send(mail, { subject: "one" });
  await send(mail, { subject: "two", to: "Grace@Sandbox.test" });
  await send(mail, { subject: "three" });
  expect(mail.list().map(({ subject }) => subject)).toEqual(["three", "two", "one"]);
  const mine = (await (await ask(mail, "/sandbox/mail?to=grace@sandbox.test")).json()) as {
    mails: unknown[];
  };
  expect(mine.mails).toMatchObject([{ subject: "two" }]);
  await ask(mail, "/sandbox/mail", { method: "DELETE" });
  expect(mail.list()).toEqual([]);
  expect((await ask(mail, "/sandbox/mail/mail_1")).status).toBe(404);
});

it("shows a browser pages on which nothing of a mail is markup, and nothing runs", async () => {
  const mail = await start();
  await send(mail);
  const list = await ask(mail, "/sandbox/mail", asBrowser);
  expect(list.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(await list.text()).toContain("Grüße &amp; &lt;b&gt;more&lt;/b&gt;");
  const one = await ask(mail, "/sandbox/mail/mail_1", asBrowser);
  const page = await one.text();
  expect(one.headers.get("content-security-policy")).toMatch(/^default-src 'none'/);
  expect(page).toContain('<a href="https://example.com/verify?token=a&amp;b=" rel="noreferrer">');
  expect(page).toContain("&lt;1&gt;");
  expect(page).not.toContain("<script");
  expect(page).not.toContain("<b>more");
  expect(page).toMatch(/<iframe [^>]*sandbox="allow-popups allow-popups-to-escape-sandbox" srcdoc="&lt;base/);
});

it("keeps mail over a restart, and does not mind a file that is none", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bursar-mail-"));
  folders.push(folder);
  const before = await start({ folder });
  await send(before);
  await before.close();
  await writeFile(join(folder, "mail_7.json"), "{half");
  const after = await start({ folder });
  expect(after.list()).toEqual(before.list());
  await send(after, { subject: "next" });
  expect(after.list().map(({ id }) => id)).toEqual(["mail_2", "mail_1"]);
});

it("plays a mailbox that does not exist, and one that is busy", async () => {
  const mail = await start();
  await expect(send(mail, { to: "bounce@sandbox.test" })).rejects.toMatchObject({ responseCode: 550 });
  await expect(send(mail, { to: "later@sandbox.test" })).rejects.toMatchObject({ responseCode: 451 });
  expect(mail.list()).toEqual([]);
});

it("says which methods there are, and leaves other paths to others", async () => {
  const mail = await start();
  const refused = await ask(mail, "/sandbox/mail", { method: "POST" });
  expect([refused.status, refused.headers.get("allow")]).toEqual([405, "GET, DELETE"]);
  expect(await mail.answer(new Request("http://sandbox/sandbox/mailbox"))).toBeNull();
});
