/** Organizations over HTTP: membership, whose credits pay, and caps that hold under load. */
import type { AccountId } from "@bursar/contract/ids";
import { connectionOptions } from "@bursar/database/connection";
import { verifyLedger } from "@bursar/engine/ledger/verify";
import { alertOwners } from "@bursar/engine/organization/alert";
import { payerFor } from "@bursar/engine/organization/payer";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { peopleOf, type Signed } from "./people-of.ts";
import { type Running, startRunning } from "./running.ts";

let running: Running;
let sign: ReturnType<typeof peopleOf>;
const people: Record<string, Signed> = {};
let made = 0;

beforeAll(async () => {
  running = await startRunning();
  sign = peopleOf(running);
  for (const name of ["ada", "bob", "cyd", "dan", "eve"]) people[name] = await sign(name);
});
afterAll(() => running.close());

const admin = (method: string, path: string, body?: unknown) =>
  running.call(running.adminKey, method, path, body);
const grantTo = (accountId: string, amount: string) =>
  admin("POST", "/v1/grants", { accountId, amount, source: "organization", expiresAt: null });
const later = (seconds: number) => {
  running.clock.time = (running.clock.time + seconds * 1_000_000) as typeof running.clock.time;
};
const codeOf = ({ status, body }: { status: number; body: { error?: { code: string } } }) =>
  body.error?.code ?? status;

async function join(
  organization: Organization,
  owner: Signed,
  joining: Signed,
  email: string,
  role = "member",
) {
  const invited = await owner.post(`${organization.path}/invites`, { email, role });
  const accepted = await joining.post("/v1/organization-invites/accept", { token: invited.body.token });
  expect(accepted.status).toBe(201);
}

interface Organization {
  readonly id: string;
  readonly path: string;
  readonly accountId: string;
  readonly pays: Record<string, string>;
}

/** Owned by ada; the others are members, in this order. */
async function organization(credits = "0", ...members: string[]): Promise<Organization> {
  const id = `org_${++made}`;
  // The same few join many, all within an hour.
  await running.engine.pool.query("delete from code_tries");
  const answer = await people["ada"]!.post("/v1/organizations", { id, name: `Organization ${made}` });
  expect([answer.status, answer.body]).toMatchObject([201, { id, role: "owner", available: "0" }]);
  const { accountId } = answer.body;
  if (credits !== "0") await grantTo(accountId, credits);
  const found = { id, path: `/v1/organizations/${id}`, accountId, pays: { "x-bursar-organization": id } };
  for (const name of members) await join(found, people["ada"]!, people[name]!, `${name}@example.org`);
  return found;
}

const rolesIn = async ({ path }: Organization) =>
  Object.fromEntries(
    (await people["ada"]!.get(`${path}/members`)).body.members.map(
      ({ name, role }: Record<string, string>) => [name, role],
    ),
  );

describe("an organization", () => {
  it("is made once under its id, with its owner and an account of its own", async () => {
    const { ada, bob } = people as Record<"ada" | "bob", Signed>;
    const body = { id: "org_once", name: "Once" };
    const fifty = await Promise.all(Array.from({ length: 20 }, () => ada.post("/v1/organizations", body)));
    expect(fifty.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(fifty.filter(({ status }) => status === 200)).toHaveLength(19);
    expect(codeOf(await bob.post("/v1/organizations", body))).toBe("organization_exists");
    expect(codeOf(await ada.post("/v1/organizations", { ...body, name: "Twice" }))).toBe(
      "organization_exists",
    );
    expect((await admin("GET", "/v1/accounts/acct_org_once")).body).toMatchObject({ available: "0" });
    expect((await admin("POST", "/v1/organizations", { name: "Given", ownerId: "bob" })).body).toMatchObject({
      role: null,
      members: 1,
    });
    expect(codeOf(await bob.post("/v1/organizations", { name: "For ada", ownerId: "ada" }))).toBe(
      "admin_required",
    );
    const names = (await bob.get("/v1/organizations")).body.organizations.map(
      ({ name }: { name: string }) => name,
    );
    expect(names).toEqual(["Given"]);
  });

  it("names the field where a member's name is no text that the database can keep", async () => {
    const { ada } = people as Record<"ada", Signed>;
    const { path } = await organization();
    const memberId = "bob\u0000";
    for (const [param, asked] of [
      ["memberId", ada.put(`${path}/role`, { memberId, role: "admin" })],
      ["memberId", ada.put(`${path}/caps`, { memberId, day: "1" })],
      ["memberId", ada.post(`${path}/remove`, { memberId })],
      ["memberId", ada.post(`${path}/transfer`, { memberId })],
      ["ownerId", admin("POST", "/v1/organizations", { name: "Odd", ownerId: memberId })],
    ] as const) {
      const { status, body } = await asked;
      expect([status, body.error.code, body.error.param]).toEqual([422, "invalid_request", param]);
    }
  });

  it.each(["", "x", "y".repeat(500_000), "\u0000", "\ud800", "🎁".repeat(2000)])(
    "answers what is no invite as one that was never made",
    async (token) => {
      const { ada } = people as Record<"ada", Signed>;
      const { status, body } = await ada.post("/v1/organization-invites/accept", { token });
      expect([status, body.error.code, body.error.message]).toEqual([
        404,
        "invite_unknown",
        "This invite is not known",
      ]);
    },
  );

  it("is joined by an invite that is good once, for its address, and for its time", async () => {
    const { ada, bob, cyd } = people as Record<"ada" | "bob" | "cyd", Signed>;
    const { path, id } = await organization();
    const invite = (email: string) => ada.post(`${path}/invites`, { email });
    const accept = (who: Signed, token: string) => who.post("/v1/organization-invites/accept", { token });
    const { token, link } = (await invite("Bob@Example.org")).body;
    expect(link).toBe(`${running.url}/join?token=${token}`);
    const { rows } = await running.engine.pool.query(
      "select recipient, body_text from mails where mail_id like 'invite:%' order by created_at desc limit 1",
    );
    expect(rows[0].recipient).toBe("bob@example.org");
    expect(rows[0].body_text).toContain(link);
    const stored = await running.engine.pool.query("select i::text as row from organization_invites i");
    for (const { row } of stored.rows) expect(row).not.toContain(token);

    expect(codeOf(await accept(cyd, token))).toBe("invite_for_another");
    const answers = await Promise.all(Array.from({ length: 20 }, () => accept(bob, token)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(19);
    expect(answers[0]!.body).toMatchObject({ organizationId: id });
    expect(await rolesIn({ path } as Organization)).toEqual({ ada: "owner", bob: "member" });

    await ada.post(`${path}/remove`, { memberId: "bob" });
    expect(codeOf(await accept(bob, token))).toBe("invite_used");

    const first = (await invite("cyd@example.org")).body;
    const second = (await invite("cyd@example.org")).body;
    expect(codeOf(await accept(cyd, first.token))).toBe("invite_used");
    await ada.post(`${path}/invites/revoke`, { inviteId: second.id });
    expect(codeOf(await accept(cyd, second.token))).toBe("invite_used");
    const third = (await invite("cyd@example.org")).body;
    later(7 * 86_400);
    await cyd.signIn();
    expect(codeOf(await accept(cyd, third.token))).toBe("invite_expired");
    for (const who of Object.values(people)) await who.signIn();
    for (const odd of ["", "inv_none", "\u0000"])
      expect(codeOf(await accept(cyd, odd))).toBe("invite_unknown");
    expect((await ada.get(`${path}/invites`)).body.invites).toEqual([]);
  });

  it("always has exactly one owner, however many hand it on at once", async () => {
    const { ada, bob, cyd } = people as Record<"ada" | "bob" | "cyd", Signed>;
    const found = await organization("0", "bob", "cyd");
    const { path } = found;
    expect(codeOf(await ada.post(`${path}/leave`))).toBe("owner_needed");
    expect(codeOf(await ada.put(`${path}/role`, { memberId: "ada", role: "member" }))).toBe("owner_needed");
    expect(codeOf(await ada.post(`${path}/remove`, { memberId: "ada" }))).toBe("owner_needed");
    expect(codeOf(await ada.post(`${path}/transfer`, { memberId: "eve" }))).toBe("member_unknown");
    const handing = ["bob", "cyd", "bob", "cyd"].map((memberId) =>
      ada.post(`${path}/transfer`, { memberId }),
    );
    const statuses = (await Promise.all(handing)).map(codeOf);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(new Set(statuses)).toEqual(new Set([200, "role_required"]));
    const roles = Object.values(await rolesIn(found));
    expect(roles.filter((role) => role === "owner")).toHaveLength(1);
    expect((await rolesIn(found))["ada"]).toBe("admin");
    // The new owner can be neither removed nor left alone; an admin may not touch another admin.
    const owner = (await rolesIn(found))["bob"] === "owner" ? bob : cyd;
    const other = owner === bob ? "cyd" : "bob";
    expect(codeOf(await ada.post(`${path}/remove`, { memberId: owner.id }))).toBe("owner_needed");
    await owner.put(`${path}/role`, { memberId: other, role: "admin" });
    expect(codeOf(await ada.post(`${path}/remove`, { memberId: other }))).toBe("role_required");
    expect(codeOf(await ada.post(`${path}/invites`, { email: "x@example.org", role: "admin" }))).toBe(
      "role_required",
    );
    expect(codeOf(await ada.post(`${path}/leave`))).toBe(200);
  });

  it("tells nobody by their name who else is here", async () => {
    const { ada } = people as Record<"ada", Signed>;
    const { path } = await organization("0");
    const calls = [
      (memberId: string) => ada.put(`${path}/role`, { memberId, role: "admin" }),
      (memberId: string) => ada.put(`${path}/caps`, { memberId, day: "1" }),
      (memberId: string) => ada.post(`${path}/remove`, { memberId }),
      (memberId: string) => ada.post(`${path}/transfer`, { memberId }),
    ];
    for (const call of calls)
      for (const memberId of ["eve", "eve@example.org", "nobody-at-all"]) {
        const { error } = (await call(memberId)).body;
        expect([error.code, error.message]).toEqual([
          "member_unknown",
          `The organization has no member ${memberId}`,
        ]);
      }
  });

  it("lets nobody in by the invites of somebody who may invite no more", async () => {
    const { ada, bob, cyd } = people as Record<"ada" | "bob" | "cyd", Signed>;
    const { path } = await organization("0", "bob");
    const asAdmin = () => ada.put(`${path}/role`, { memberId: "bob", role: "admin" });
    const ends = [
      () => ada.put(`${path}/role`, { memberId: "bob", role: "member" }),
      () => ada.post(`${path}/remove`, { memberId: "bob" }),
    ];
    for (const end of ends) {
      await asAdmin();
      const sent = await bob.post(`${path}/invites`, { email: "cyd@example.org" });
      expect(codeOf(sent)).toBe(201);
      expect(codeOf(await end())).toBe(200);
      const { token } = sent.body;
      expect(codeOf(await cyd.post("/v1/organization-invites/accept", { token }))).toBe("invite_used");
    }
    expect((await ada.get(`${path}/invites`)).body.invites).toEqual([]);
  });

  it("ends a membership at once: leaving and being removed", async () => {
    const { ada, bob, cyd } = people as Record<"ada" | "bob" | "cyd", Signed>;
    const { path, pays } = await organization("10", "bob", "cyd");
    const spend = (who: Signed) => who.post("/v1/spend", { amount: "1" }, pays);
    expect([codeOf(await spend(bob)), codeOf(await spend(cyd))]).toEqual([200, 200]);
    await bob.post(`${path}/leave`);
    await ada.post(`${path}/remove`, { memberId: "cyd@example.org" });
    expect([codeOf(await spend(bob)), codeOf(await spend(cyd))]).toEqual([
      "organization_unknown",
      "organization_unknown",
    ]);
    expect(codeOf(await bob.post(`${path}/leave`))).toBe("organization_unknown");
  });
});

describe("who pays", () => {
  it("is the organization for its work alone, also for members with no credits of their own", async () => {
    const { ada, bob } = people as Record<"ada" | "bob", Signed>;
    const { path, accountId, pays } = await organization("10", "bob");
    await ada.post(`${path}/repositories`, { url: "git@github.com:Acme/Widget.git" });
    await grantTo(ada.accountId, "5");
    const spend = async (who: Signed, headers = {}) =>
      codeOf(await who.post("/v1/spend", { amount: "1" }, headers));
    const availableOf = async (id: string) =>
      (await admin("GET", `/v1/balance?accountId=${id}`)).body.available;
    const before = await availableOf(bob.accountId);

    expect(await spend(bob, pays)).toBe(200);
    expect(await spend(bob, { "x-bursar-repository": "https://token@github.com/acme/widget" })).toBe(200);
    expect(await spend(ada, { "x-bursar-repository": "https://github.com/acme/widget.git" })).toBe(200);
    expect(await availableOf(accountId)).toBe("7");
    expect(await availableOf(bob.accountId)).toBe(before);

    // The owner's private work is the owner's, whatever the organization has.
    expect(await spend(ada)).toBe(200);
    expect(await spend(ada, { "x-bursar-repository": "https://github.com/ada/private" })).toBe(200);
    expect(await availableOf(accountId)).toBe("7");
    expect(await availableOf(ada.accountId)).toBe("3");

    expect(await spend(ada, { ...pays, "x-bursar-repository": "github.com/ada/private" })).toBe(
      "repository_unknown",
    );
    expect(await spend(ada, { "x-bursar-repository": "not a repository" })).toBe("invalid_request");
    expect(await spend(people["eve"]!, pays)).toBe("organization_unknown");
    expect(await spend(ada, { "x-bursar-organization": "no id" })).toBe("organization_unknown");
    // Somebody else's repository is nothing to a stranger: it is their own work.
    const stranger = await payerFor(running.engine, {
      personId: people["eve"]!.id,
      repositoryUrl: "github.com/acme/widget",
    });
    expect(stranger).toEqual({ kind: "own" });
  });

  it("is refused where its address is none, with what would be right", async () => {
    const { ada } = people as Record<"ada", Signed>;
    const { path } = await organization();
    for (const [url, right] of [
      ["", "must not be empty"],
      ["acme/widget", "names no host with a dot"],
      ["https://github.com/acme", "must name an owner and a repository"],
      ["git@github.com:acme/../other", "has a part"],
      ["file:///home/ada/widget.git", "must look like"],
      [`https://github.com/acme/${"x".repeat(600)}`, "at most"],
    ]) {
      const { status, body } = await ada.post(`${path}/repositories`, { url });
      expect([url, status, body.error.code, body.error.param]).toEqual([url, 422, "invalid_request", "url"]);
      expect(body.error.message).toContain(right);
    }
    expect((await ada.get(`${path}/repositories`)).body.repositories).toEqual([]);
  });

  it("is asked where two organizations of a member have the repository", async () => {
    const { ada, bob } = people as Record<"ada" | "bob", Signed>;
    const [one, two] = [await organization("10", "bob"), await organization("10", "bob")];
    for (const { path } of [one, two])
      await ada.post(`${path}/repositories`, { url: "gitlab.com/both/of-us" });
    const headers = { "x-bursar-repository": "gitlab.com/both/of-us" };
    const asked = await bob.post("/v1/spend", { amount: "1" }, headers);
    expect([codeOf(asked), asked.body.error.message]).toEqual([
      "organization_ambiguous",
      expect.stringContaining([one.id, two.id].toSorted().join(", ")),
    ]);
    expect(codeOf(await bob.post("/v1/spend", { amount: "1" }, { ...headers, ...two.pays }))).toBe(200);
    await ada.post(`${one.path}/repositories/remove`, { url: "git@gitlab.com:both/of-us.git" });
    expect(codeOf(await bob.post("/v1/spend", { amount: "1" }, headers))).toBe(200);
    expect((await ada.get(two.path)).body.available).toBe("8");
  });

  it("is a key's own account; another organization's is closed to it", async () => {
    const { accountId, id, pays } = await organization("10");
    const { key } = (await admin("POST", "/v1/keys", { accountId })).body;
    const spend = (header: object) =>
      running.call(key, "POST", "/v1/spend", { amount: "1" }, header as Record<string, string>);
    expect([codeOf(await spend({})), codeOf(await spend(pays))]).toEqual([200, 200]);
    expect(codeOf(await spend({ "x-bursar-organization": "org_once" }))).toBe("organization_unknown");
    expect((await admin("GET", `/v1/organizations/${id}`)).body.available).toBe("8");
  });
});

it("a member reaches their own holds and runs alone, also in a batch; owner and admins reach all", async () => {
  const { ada, bob, cyd } = people as Record<"ada" | "bob" | "cyd", Signed>;
  const { path, pays } = await organization("100", "bob", "cyd");
  await bob.post("/v1/holds", { id: "bobs", amount: "5" }, pays);
  await bob.post("/v1/runs", { id: "bobs-run", budget: "5" }, pays);
  const batch = { operations: [{ op: "settle", id: "bobs", amount: "90" }] };
  expect(codeOf(await cyd.post("/v1/holds/bobs/settle", { amount: "90" }, pays))).toBe("hold_unknown");
  expect(codeOf(await cyd.post("/v1/holds/bobs/release", {}, pays))).toBe("hold_unknown");
  expect(codeOf(await cyd.post("/v1/holds/bobs/extend", { amount: "1" }, pays))).toBe("hold_unknown");
  expect((await cyd.post("/v1/batch", batch, pays)).body.results[0].error.code).toBe("hold_unknown");
  const ended = (who: Signed) => running.call(who.token, "DELETE", "/v1/runs/bobs-run", undefined, pays);
  expect(codeOf(await ended(cyd))).toBe("run_unknown");
  expect((await bob.post("/v1/holds/bobs/settle", { amount: "1" }, pays)).body).toMatchObject({
    charged: "1",
  });
  expect((await ended(ada)).body.state).toBe("ended");
  expect((await ada.get(path)).body).toMatchObject({ available: "99", held: "0" });
});

it("a member's run is unknown to other members, open or ended, whatever they ask of it", async () => {
  const { ada, bob, cyd } = people as Record<"ada" | "bob" | "cyd", Signed>;
  const { pays } = await organization("100", "bob", "cyd");
  const run = { id: "secret", budget: "5" };
  await bob.post("/v1/runs", run, pays);
  const show = (who: Signed) => who.get("/v1/runs/secret", pays);
  const draw = (who: Signed, id: string) =>
    who.post("/v1/holds", { id, amount: "1", parentId: "run:secret" }, pays);
  const op = { op: "hold", id: "in-batch", amount: "1", parentId: "run:secret" };
  expect(codeOf(await show(cyd))).toBe("run_unknown");
  expect(codeOf(await draw(cyd, "cyds"))).toBe("hold_unknown");
  const batch = await cyd.post("/v1/batch", { operations: [op] }, pays);
  expect(batch.body.results[0].error.code).toBe("hold_unknown");
  expect(codeOf(await cyd.post("/v1/holds/run:secret/extend", { amount: "1" }, pays))).toBe("hold_unknown");
  expect(codeOf(await cyd.post("/v1/runs", run, pays))).toBe("key_conflict");
  expect(codeOf(await bob.post("/v1/runs", run, pays))).toBe(200);
  expect([codeOf(await draw(bob, "bobs-part")), codeOf(await draw(ada, "adas-part"))]).toEqual([201, 201]);
  for (const who of [bob, ada]) expect((await show(who)).body).toMatchObject({ held: "2", left: "3" });
  expect((await ada.get("/v1/runs", pays)).body.runs).toMatchObject([{ id: "secret" }]);
  await running.call(bob.token, "DELETE", "/v1/runs/secret", undefined, pays);
  expect(codeOf(await show(cyd))).toBe("run_unknown");
  for (const who of [bob, ada]) expect((await show(who)).body.state).toBe("ended");
});

describe("a member's caps", () => {
  const capsOf = async ({ path }: Organization, name: string) =>
    (await people["ada"]!.get(`${path}/members`)).body.members.find(
      (member: { name: string }) => member.name === name,
    );

  it("are never exceeded by a hundred parallel requests of ten members, and the balance is exact", async () => {
    const { path, pays, accountId } = await organization("1000");
    const ten: Signed[] = [];
    for (let index = 0; index < 10; index++) ten.push(await sign(`crowd${index}`));
    const found = { path, pays, accountId, id: "" };
    for (const [index, member] of ten.entries()) {
      await join(found, people["ada"]!, member, `crowd${index}@example.org`);
      const caps = { memberId: member.id, day: "4.5", month: "100" };
      expect((await people["ada"]!.put(`${path}/caps`, caps)).status).toBe(200);
    }
    // Ten each, half of them holds: four fit into 4.5, and which four is nobody's business.
    const asked = ten.flatMap((member) =>
      Array.from({ length: 10 }, (_, index) =>
        index % 2 === 0
          ? member.post("/v1/spend", { id: `${member.id}-${index}`, amount: "1" }, pays)
          : member.post("/v1/holds", { id: `${member.id}-${index}`, amount: "1" }, pays),
      ),
    );
    const answers = await Promise.all(asked);
    expect(answers).toHaveLength(100);
    const counts = Map.groupBy(answers, codeOf);
    expect(counts.get("cap_exceeded")).toHaveLength(60);
    const { body } = await people["ada"]!.get(path);
    const held = answers.filter(({ status }) => status === 201).length;
    expect([body.available, body.held]).toEqual(["960", String(held)]);
    for (const { used, role } of (await people["ada"]!.get(`${path}/members`)).body.members)
      expect(used).toEqual(
        role === "owner" ? { day: "0", month: "0", total: "0" } : { day: "4", month: "4", total: "4" },
      );
    // Holds that cost less make room again, exactly.
    const [first] = ten as [Signed];
    const open = answers.filter(({ status, body: hold }) => status === 201 && hold.id.startsWith(first.id));
    for (const { body: hold } of open)
      await first.post(`/v1/holds/${hold.id}/settle`, { amount: "0.5" }, pays);
    const after = (await first.get(`${path}/members`)).body.members.find(
      ({ id }: { id: string }) => id === first.id,
    );
    expect(after.used.day).toBe(String(4 - open.length / 2));
  });

  it("count by day, month and in all, from the first use on", async () => {
    const { ada, bob } = people as Record<"ada" | "bob", Signed>;
    const found = await organization("1000", "bob");
    const { path, pays } = found;
    const spend = async (amount: string) => codeOf(await bob.post("/v1/spend", { amount }, pays));
    const limit = (caps: object) => ada.put(`${path}/caps`, { memberId: "bob", ...caps });
    expect(await spend("30")).toBe(200);
    expect((await limit({ day: "35", month: "50", total: "80" })).body.used).toEqual({
      day: "30",
      month: "30",
      total: "30",
    });
    expect(await spend("6")).toBe("cap_exceeded");
    expect(await spend("5")).toBe(200);
    const refused = await bob.post("/v1/spend", { id: "refused", amount: "1" }, pays);
    expect(refused.body.error.message).toContain("35 are used");
    later(86_400);
    for (const person of Object.values(people)) await person.signIn();
    expect(await spend("20")).toBe("cap_exceeded");
    expect(await spend("15")).toBe(200);
    expect(await capsOf(found, "bob")).toMatchObject({
      caps: { day: "35", month: "50", total: "80" },
      used: { day: "15", month: "50", total: "50" },
    });
  });

  it("below what is used are refused with the figure; 0 stops at once, null lifts a cap", async () => {
    const { ada, bob } = people as Record<"ada" | "bob", Signed>;
    const { path, pays } = await organization("100", "bob");
    const spend = async () => codeOf(await bob.post("/v1/spend", { amount: "10" }, pays));
    const limit = (caps: object) => ada.put(`${path}/caps`, { memberId: "bob", ...caps });
    expect(await spend()).toBe(200);
    const low = await limit({ day: "20", month: "9.5" });
    expect([low.status, low.body.error]).toMatchObject([
      422,
      { code: "cap_below_use", param: "month", used: "10" },
    ]);
    expect(await spend()).toBe(200);
    expect((await limit({ day: "0" })).status).toBe(200);
    expect(await spend()).toBe("cap_exceeded");
    expect((await limit({ day: null })).status).toBe(200);
    expect(await spend()).toBe(200);
    expect((await limit({ day: "-1" })).body.error.param).toBe("day");
  });

  it("of those who join are the organization's default", async () => {
    const { ada } = people as Record<"ada", Signed>;
    const found = await organization("100");
    await running.call(ada.token, "PATCH", found.path, { defaultCaps: { month: "7", day: null } });
    await join(found, ada, people["dan"]!, "dan@example.org");
    expect(await capsOf(found, "dan")).toMatchObject({ caps: { day: null, month: "7", total: null } });
    const spend = (amount: string) => people["dan"]!.post("/v1/spend", { amount }, found.pays);
    expect(codeOf(await spend("8"))).toBe("cap_exceeded");
    expect(codeOf(await spend("7"))).toBe(200);
  });

  it("are raised by a request that an owner approves; both are told", async () => {
    const { ada, bob } = people as Record<"ada" | "bob", Signed>;
    const { path, pays } = await organization("100", "bob");
    const ask = (amount: string, reason = "the release") => bob.post(`${path}/requests`, { amount, reason });
    const decide = (requestId: string, approve: boolean, amount?: string) =>
      ada.post(`${path}/requests/decide`, { requestId, approve, amount });
    const spend = async (amount: string) => codeOf(await bob.post("/v1/spend", { amount }, pays));
    expect(codeOf(await ask("5"))).toBe("cap_unset");
    await ada.put(`${path}/caps`, { memberId: "bob", day: "50", total: "0" });
    expect(await spend("5")).toBe("cap_exceeded");
    const asked = (await ask("5")).body;
    expect(asked).toMatchObject({ window: "total", amount: "5", state: "open" });
    expect(codeOf(await ask("6"))).toBe("request_open");
    const told = async (who: Signed) => (await who.get("/v1/notices")).body.notices[0];
    expect(await told(ada)).toMatchObject({ kind: "organization_request", details: { requestId: asked.id } });
    later(1);
    const approved = await Promise.all([1, 2, 3].map(() => decide(asked.id, true)));
    expect(approved.map(codeOf).toSorted((a, b) => String(a).localeCompare(String(b)))).toEqual([
      200,
      "request_decided",
      "request_decided",
    ]);
    expect(await told(bob)).toMatchObject({ kind: "organization_request", title: "Request approved" });
    expect(await spend("5")).toBe(200);
    expect(await spend("0.1")).toBe("cap_exceeded");
    const second = (await ask("100")).body;
    await decide(second.id, true, "2");
    expect(await spend("2")).toBe(200);
    const third = (await ask("100")).body;
    later(1);
    await decide(third.id, false);
    expect(await told(bob)).toMatchObject({ title: "Request denied" });
    expect(await spend("1")).toBe("cap_exceeded");
    expect(
      (await bob.get(`${path}/requests`)).body.requests
        .map(({ state }: { state: string }) => state)
        .toSorted(),
    ).toEqual(["approved", "approved", "denied"]);
  });
});

it("its owner is told at 500 and at 100 credits left, once a crossing and not on the way up", async () => {
  const eve = people["eve"]!;
  const { id, accountId } = (await eve.post("/v1/organizations", { name: "Low\u2028Credits" })).body;
  const tell = async () => {
    while ((await alertOwners(running.engine)) > 0);
    const { notices } = (await eve.get("/v1/notices")).body;
    return notices.filter(({ kind }: { kind: string }) => kind === "organization_alert");
  };
  const spend = (amount: string) => eve.post("/v1/spend", { amount }, { "x-bursar-organization": id });
  expect(await tell()).toEqual([]);
  await grantTo(accountId, "600");
  expect(await tell()).toEqual([]);
  await eve.post("/v1/holds", { id: "large", amount: "599" }, { "x-bursar-organization": id });
  expect(await tell()).toEqual([]);
  await eve.post("/v1/holds/large/release", {}, { "x-bursar-organization": id });
  await spend("150");
  const [first, ...none] = await tell();
  expect([first, none]).toMatchObject([{ details: { organizationId: id, left: "450", level: 500 } }, []]);
  await spend("100");
  expect(await tell()).toHaveLength(1);
  later(1);
  await spend("300");
  expect((await tell()).map(({ details }: { details: { level: number } }) => details.level)).toEqual([
    100, 500,
  ]);
  await grantTo(accountId, "400");
  expect(await tell()).toHaveLength(2);
  await grantTo(accountId, "400");
  expect(await tell()).toHaveLength(2);
  await spend("500");
  expect(await tell()).toHaveLength(3);
});

it("after all of this the ledger proves itself", async () => {
  const url = running.engine.pool.options.connectionString!;
  const connect = () => new pg.Client(connectionOptions({ url, applicationName: "test" }));
  expect((await verifyLedger(connect)).problems).toEqual([]);
  const { rows } = await running.engine.pool.query<{ id: AccountId }>(
    `select organization_id as id from organizations o
     where (select count(*) from organization_members m where m.organization_id = o.organization_id and role = 'owner') <> 1`,
  );
  expect(rows).toEqual([]);
});
