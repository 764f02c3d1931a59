/** What invites may be made to send, and to whom. */
import { forgetOldTries } from "@bursar/engine/code/tries";
import { INVITES_A_MAILBOX, INVITES_A_PERSON } from "@bursar/engine/organization/invite-mail";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Answer } from "./calling.ts";
import { peopleOf, type Signed } from "./people-of.ts";
import { type Running, startRunning } from "./running.ts";

let running: Running;
let ada: Signed;
let bob: Signed;
beforeAll(async () => {
  running = await startRunning();
  // A full hour begins, by the clock of the limits.
  later(3600 - (Math.floor(running.clock.time / 1_000_000) % 3600));
  const sign = peopleOf(running);
  [ada, bob] = [await sign("ada"), await sign("bob")];
  for (const [id, owner] of [
    ["org_one", ada],
    ["org_two", ada],
    ["org_other", bob],
  ] as const)
    await owner.post("/v1/organizations", { id, name: id });
});
afterAll(() => running.close());

function later(seconds: number): void {
  running.clock.time = (running.clock.time + seconds * 1_000_000) as typeof running.clock.time;
}
const invite = (who: Signed, organization: string, email: string) =>
  who.post(`/v1/organizations/${organization}/invites`, { email });
const sent = (answers: readonly Answer[]) => answers.filter(({ status }) => status === 201).length;
const mailsTo = async (like: string) => {
  const { rows } = await running.engine.pool.query(
    "select subject, body_text from mails where recipient like $1",
    [like],
  );
  return rows as { subject: string; body_text: string }[];
};

it("a mailbox gets few within an hour, from whomever and into whatever organizations, also when all are asked for at once", async () => {
  const asked = Array.from({ length: 30 }, (_, index) => {
    const email = ["Stranger@example.net", "stranger@example.net", `stranger+${index}@example.net`][
      index % 3
    ]!;
    return index % 2 === 0
      ? invite(ada, index % 4 === 0 ? "org_one" : "org_two", email)
      : invite(bob, "org_other", email);
  });
  const answers = await Promise.all(asked);
  expect(sent(answers)).toBe(INVITES_A_MAILBOX);
  expect(await mailsTo("stranger%")).toHaveLength(INVITES_A_MAILBOX);
  const refused = answers.find(({ status }) => status !== 201)!;
  const { code, param, retryAfterSeconds } = refused.body.error;
  expect([refused.status, code, param]).toEqual([429, "rate_limited", "email"]);
  expect(refused.headers.get("retry-after")).toBe(String(retryAfterSeconds));
  // An administrator reaches no further, and others are still reached.
  const root = (email: string) =>
    running.call(running.adminKey, "POST", "/v1/organizations/org_one/invites", { email });
  expect((await root("stranger@example.net")).status).toBe(429);
  expect((await invite(ada, "org_one", "colleague@example.net")).status).toBe(201);

  // An invite that was refused has ended no earlier one.
  const { invites } = (await bob.get("/v1/organizations/org_other/invites")).body;
  expect(invites.length).toBeGreaterThan(0);

  later(20 * 60);
  await forgetOldTries(running.engine);
  await ada.signIn();
  const later20 = await invite(ada, "org_one", "stranger@example.net");
  expect(later20.status).toBe(429);
  later(later20.body.error.retryAfterSeconds);
  await ada.signIn();
  expect((await invite(ada, "org_one", "stranger@example.net")).status).toBe(201);
});

it("a person sends no more within an hour than they may, an administrator any number", async () => {
  later(3600);
  await Promise.all([ada.signIn(), bob.signIn()]);
  const many = (ask: (email: string) => Promise<Answer>, name: string) =>
    Promise.all(
      Array.from({ length: INVITES_A_PERSON + 10 }, (_, index) => ask(`${name}${index}@example.net`)),
    );
  const answers = await many(
    (email) => invite(ada, email.length % 2 === 0 ? "org_one" : "org_two", email),
    "a",
  );
  expect(sent(answers)).toBe(INVITES_A_PERSON);
  const refused = answers.find(({ status }) => status !== 201)!;
  expect([refused.status, refused.body.error.code, refused.body.error.param]).toEqual([
    429,
    "rate_limited",
    null,
  ]);
  expect((await invite(bob, "org_other", "b@example.net")).status).toBe(201);
  const root = (email: string) =>
    running.call(running.adminKey, "POST", "/v1/organizations/org_one/invites", { email });
  expect(sent(await many(root, "r"))).toBe(INVITES_A_PERSON + 10);
});

it.each([
  ["Acme & Söhne", "Acme & Söhne"],
  ["You won! http://evil.example/win", "You won! http evil. example/win"],
  ["evil\u3002example www.evil.example", "evil. example www. evil. example"],
  ["ｈｔｔｐｓ：／／evil．example", "https evil. example"],
  ["Acme\u202Egnp.exe\u2028x", "Acme gnp. exe x"],
  ["\u200B\u2060", "an organization"],
  ["x".repeat(100), `${"x".repeat(59)}…`],
])("the name %j is no place for a link or a trick in a stranger's mail", async (name, shown) => {
  later(3600);
  await ada.signIn();
  const renamed = await running.call(ada.token, "PATCH", "/v1/organizations/org_one", { name });
  expect(renamed.status).toBe(200);
  await running.engine.pool.query("delete from mails");
  await invite(ada, "org_one", "named@example.net");
  const [mail] = await mailsTo("named@example.net");
  expect(mail!.subject).toBe(`Join ${shown}`);
  expect(mail!.body_text).toContain(`on the credits of ${shown}, as a member.`);
});
