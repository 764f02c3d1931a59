/** Models on an organization's credits: a member's call, held to the member's caps and to a run's budget. */
import { startSandboxModel } from "@bursar/sandbox/model";
import { afterAll, beforeAll, expect, it } from "vitest";
import { peopleOf, type Signed } from "./people-of.ts";
import { type Running, startRunning } from "./running.ts";

let running: Running;
let model: Awaited<ReturnType<typeof startSandboxModel>>;
let ada: Signed;
let bob: Signed;
const named = { "x-bursar-organization": "org_models" };

beforeAll(async () => {
  model = await startSandboxModel();
  const upstreams = [{ name: "box", url: model.url, models: ["sandbox-*"] }];
  running = await startRunning(undefined, 0, {}, { upstreams });
  const book = { models: { "sandbox-small": { inputPerMillion: "100", outputPerMillion: "500" } } };
  await running.engine.prices.put({ body: book, by: "test" });
  const sign = peopleOf(running);
  ada = await sign("ada");
  bob = await sign("bob");
  const made = await ada.post("/v1/organizations", { id: "org_models", name: "Models" });
  const grant = { accountId: made.body.accountId, amount: "100", source: "organization" };
  await running.call(running.adminKey, "POST", "/v1/grants", grant);
  await ada.post("/v1/organizations/org_models/repositories", { url: "github.com/acme/models" });
  const { token } = (await ada.post("/v1/organizations/org_models/invites", { email: "bob@example.org" }))
    .body;
  await bob.post("/v1/organization-invites/accept", { token });
});
afterAll(async () => {
  await running.gateway.close();
  await running.close();
  await model.close();
});

const chat = (who: Signed, headers: Record<string, string>) =>
  who.post(
    "/v1/chat/completions",
    { model: "sandbox-small", messages: [{ role: "user", content: "Hello" }], max_tokens: 50 },
    headers,
  );
const useOf = async (who: Signed) => {
  const { members } = (await ada.get("/v1/organizations/org_models/members")).body;
  return members.find(({ id }: { id: string }) => id === who.id).used.total;
};

it("the organization pays for a member without credits, by its name or by its repository", async () => {
  const own = await chat(bob, {});
  expect([own.status, own.body.error.code]).toEqual([402, "insufficient_credits"]);
  const first = await chat(bob, named);
  const second = await chat(bob, { "x-bursar-repository": "git@github.com:acme/models.git" });
  expect([first.status, second.status]).toEqual([200, 200]);
  const costs = [first, second].map(({ headers }) => Number(headers.get("x-bursar-cost")));
  expect(Number(await useOf(bob))).toBeCloseTo(costs[0]! + costs[1]!, 6);
  const { available } = (await ada.get("/v1/organizations/org_models")).body;
  expect(Number(available)).toBeCloseTo(100 - costs[0]! - costs[1]!, 6);
});

it("a member's cap ends the member's calls, and nobody else's", async () => {
  await ada.put("/v1/organizations/org_models/caps", { memberId: "bob", total: "0" });
  const capped = await chat(bob, named);
  expect([capped.status, capped.body.error.code]).toEqual([402, "cap_exceeded"]);
  expect((await chat(ada, named)).status).toBe(200);
  await ada.put("/v1/organizations/org_models/caps", { memberId: "bob", total: null });
  expect((await chat(bob, named)).status).toBe(200);
});

it("a run on the organization's credits counts its budget for whoever starts it, once", async () => {
  const before = Number(await useOf(bob));
  await bob.post("/v1/runs", { id: "org-run", budget: "5" }, named);
  expect(Number(await useOf(bob))).toBeCloseTo(before + 5, 6);
  const inRun = await chat(bob, { ...named, "x-bursar-run": "org-run" });
  expect(inRun.status).toBe(200);
  expect(Number(await useOf(bob))).toBeCloseTo(before + 5, 6);
  expect((await chat(bob, { "x-bursar-run": "org-run" })).body.error.code).toBe("run_unknown");
  await ada.post("/v1/runs", { id: "adas-run", budget: "5" }, named);
  const inAnothers = await chat(bob, { ...named, "x-bursar-run": "adas-run" });
  expect([inAnothers.status, inAnothers.body.error.code]).toEqual([404, "run_unknown"]);
  const ended = await running.call(bob.token, "DELETE", "/v1/runs/org-run", undefined, named);
  expect(ended.body.spent).toBe(inRun.headers.get("x-bursar-cost"));
  expect(Number(await useOf(bob))).toBeCloseTo(before + Number(ended.body.spent), 6);
});

it("usage is told by member, whoever settles; admins see everybody's, a member sees their own", async () => {
  const usage = { model: "sandbox-small", inputTokens: 1000, cachedInputTokens: 0, outputTokens: 100 };
  const groups = async (who: Signed) => {
    const { body } = await who.get(
      "/v1/usage?groupBy=member&from=2026-09-01T00:00:00Z&to=2026-10-01T00:00:00Z",
      named,
    );
    return new Map<string, { name: string | null; amount: string; requests: number }>(
      body.groups.map(({ group, ...rest }: { group: string }) => [group, rest]),
    );
  };
  const before = await groups(ada);
  const requestsOf = (found: typeof before, id: string) => found.get(id)?.requests ?? 0;
  expect((await chat(bob, named)).status).toBe(200);
  expect((await bob.post("/v1/spend", { id: "by-bob", usage }, named)).status).toBe(200);
  await bob.post("/v1/holds", { id: "held-by-bob", amount: "1" }, named);
  const settled = await ada.post("/v1/holds/held-by-bob/settle", { usage }, named);
  expect(settled.status).toBe(200);
  const accountId = "acct_org_models";
  const { key } = (await running.call(running.adminKey, "POST", "/v1/keys", { accountId, name: "ci" })).body;
  await running.call(key, "POST", "/v1/spend", { id: "by-key", usage });

  const after = await groups(ada);
  expect(requestsOf(after, bob.id)).toBe(requestsOf(before, bob.id) + 3);
  expect(requestsOf(after, ada.id)).toBe(requestsOf(before, ada.id));
  expect(requestsOf(after, "")).toBe(1);
  expect([after.get(bob.id)!.name, after.get("")!.name]).toEqual(["bob", null]);
  expect([...(await groups(bob)).keys()]).toEqual([bob.id]);

  const month = "/v1/usage/export?month=2026-09";
  const records = async (who: Signed) =>
    (await who.get(month, named)).body.records as { reference: string; memberId: string | null }[];
  const all = await records(ada);
  expect(all.find(({ reference }) => reference === "held-by-bob")?.memberId).toBe(bob.id);
  expect(all.find(({ reference }) => reference === "by-key")?.memberId).toBeNull();
  expect(await records(bob)).toEqual(all.filter(({ memberId }) => memberId === bob.id));
  const csv = await fetch(`${running.url}${month}&format=csv`, {
    headers: { authorization: `Bearer ${bob.token}`, ...named },
  });
  const lines = (await csv.text()).trimEnd().split("\r\n");
  expect(lines).toHaveLength((await records(bob)).length + 1);
  expect(lines.slice(1).every((line) => line.endsWith(`,${bob.id}`))).toBe(true);
});

it("the organization's papers are its owner's and admins', and no member's", async () => {
  for (const path of ["/v1/invoices/in_none/invoice.pdf", "/v1/payments/pay_none/receipt.pdf"]) {
    const [owner, member, stranger] = [
      await ada.get(`${path}?accountId=acct_org_models`),
      await bob.get(path, named),
      await bob.get(`${path}?accountId=${ada.accountId}`),
    ];
    expect(["invoice_unknown", "payment_unknown", "not_for_sale"]).toContain(owner.body.error.code);
    expect([member.body.error.code, stranger.body.error.code]).toEqual(["role_required", "admin_required"]);
  }
});

it("strangers are told nothing, and reach nothing", async () => {
  const eve = await peopleOf(running)("eve");
  const asked = await chat(eve, named);
  expect([asked.status, asked.body.error.code]).toEqual([404, "organization_unknown"]);
  const bad = await chat(bob, { "x-bursar-repository": "nowhere" });
  expect([bad.status, bad.body.error.param]).toEqual([422, "x-bursar-repository"]);
});

it("an owner is deleted only after the organization was handed on; a member leaves with the person", async () => {
  const root = await peopleOf(running)("root", "admin");
  const remove = (name: string) => running.call(root.token, "DELETE", `/api/auth/admin/users/${name}`);
  const refused = await remove("ada");
  expect([refused.status, refused.body.message]).toEqual([409, expect.stringContaining("owns org_models")]);
  await ada.post("/v1/organizations/org_models/transfer", { memberId: "bob" });
  expect((await remove("ada")).status).toBe(200);
  const { members } = (await bob.get("/v1/organizations/org_models/members")).body;
  expect(members.map(({ name, role }: Record<string, string>) => [name, role])).toEqual([["bob", "owner"]]);
});
