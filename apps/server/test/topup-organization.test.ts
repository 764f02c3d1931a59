/** An organization's own auto top-up: its owner's to switch on, its card's to pay, its members' work to need. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { openBrowser } from "./browser.ts";
import { type PayingWorld, POLICY, startPayingWorld } from "./paying-world.ts";
import { password, peopleOf, type Signed } from "./people-of.ts";
import { codeOf, enrol } from "./totp.ts";

let world: PayingWorld;
let owner: Signed;
let member: Signed;
let accountId: string;
let secret: Buffer;
const named = { "x-bursar-organization": "org_dry" };

beforeAll(async () => {
  world = await startPayingWorld();
  const sign = peopleOf(world);
  [owner, member] = [await sign("owner"), await sign("member")];
  const made = await owner.post("/v1/organizations", { id: "org_dry", name: "Dry" });
  accountId = made.body.accountId;
  const invite = { email: "member@example.org", role: "member" };
  const { token } = (await owner.post("/v1/organizations/org_dry/invites", invite)).body;
  await member.post("/v1/organization-invites/accept", { token });
  await world.admin("POST", "/v1/grants", { accountId, amount: "600", source: "organization" });
  await owner.post("/v1/payment-methods", { paymentMethod: "pm_card_visa" }, named);
  const browser = openBrowser(world.url);
  await browser.post("/api/identity/sign-in/username", { username: "owner", password });
  ({ secret } = await enrol(browser, password));
});
afterAll(() => world.close());

const put = (who: Signed, body: object) => world.call(who.token, "PUT", "/v1/topup-policy", body, named);
const { reason: _, ...policy } = POLICY;

it("is switched on by its owner with a second factor, and by no member", async () => {
  expect((await put(member, { ...policy, totpCode: "123456" })).body.error.code).toBe("role_required");
  expect((await put(member, { enabled: false })).body.error.code).toBe("role_required");
  expect((await put(owner, policy)).body.error).toMatchObject({ code: "totp_refused", param: "totpCode" });
  const set = await put(owner, { ...policy, totpCode: codeOf(secret, 1) });
  expect([set.status, set.body]).toEqual([
    200,
    expect.objectContaining({ accountId, enabled: true, updatedBy: `user:${owner.id}` }),
  ]);
});

it("pays once, from the organization's card, when a member's work runs dry, and the work goes on", async () => {
  const work = (id: string) => member.post("/v1/spend", { id, amount: "900" }, named);
  const answers = await Promise.all([work("one"), work("two")]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  await world.settle();
  const paid = await world.intentsOf(accountId);
  expect(paid.map(({ status }) => status)).toEqual(["succeeded"]);
  for (const { accountId: own } of [owner, member]) {
    expect(await world.intentsOf(own)).toEqual([]);
    expect((await world.admin("GET", `/v1/balance?accountId=${own}`)).body.available).toBe("0");
  }
  const attempts = (await owner.get("/v1/topup-attempts", named)).body.attempts;
  expect(attempts).toMatchObject([{ state: "confirmed", netBefore: "600" }]);
  await world.verify();
});

it("may not be changed by a member afterwards either, and nothing but the owner's word switches it off", async () => {
  expect((await put(member, { enabled: false })).body.error.code).toBe("role_required");
  expect((await owner.get("/v1/topup-policy", named)).body.enabled).toBe(true);
  expect((await put(owner, { enabled: false })).body.enabled).toBe(false);
});
