import { credits } from "@bursar/contract/money";
import { createWelcomedAccount } from "@bursar/engine/quota/welcome";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bursar } from "../../cli/src/testing/bursar.ts";
import { type Running, startRunning } from "./running.ts";
import { type SandboxWorld, startSandboxWorld } from "./sandbox-world.ts";

let world: SandboxWorld;
let running: Running;
beforeAll(async () => {
  world = await startSandboxWorld();
  running = await startRunning(undefined, 0, {
    openAccount: (account) =>
      createWelcomedAccount(running.engine, account, { starter: credits("50"), monthly: credits("500") }),
  });
});
afterAll(async () => {
  await world.close();
  await running.close();
});

const put = (body: unknown, accountId: string = world.accountId) =>
  world.call(world.adminKey, "PUT", `/v1/accounts/${accountId}/quota`, body);
const get = (path: string) => world.call(world.accountKey, "GET", path);

/** Of every month the day that was ten days ago. A month ahead of now there is then exactly one of them, whatever day it
 *  is and whenever the test crosses midnight. */
const anchor = () => {
  const before = new Date(world.clock.now() / 1000 - 10 * 86_400_000);
  return `2020-01-${String(before.getUTCDate()).padStart(2, "0")}T00:00:00.000Z`;
};

it("arrives at once, follows the calendar when time is moved, and shows in the balance", async () => {
  expect((await get("/v1/quota")).body).toEqual({ accountId: world.accountId, quota: null });
  expect((await get("/v1/balance")).body.nextReset).toBeNull();
  const begin = anchor();
  const set = await put({ anchor: begin, rollover: { cap: "100" } });
  expect([set.status, set.body.quota]).toMatchObject([
    200,
    { credits: "500", anchor: begin, rollover: { cap: "100", months: 1 } },
  ]);
  expect(set.body.quota.cycle.remaining).toBe("500");
  const before = (await get("/v1/balance")).body;
  expect(before).toMatchObject({
    available: "500",
    nextReset: { at: set.body.quota.nextReset, amount: "500" },
  });
  const moved = await world.call(world.adminKey, "POST", "/sandbox/clock", { advance: "1mo" });
  expect(moved.body.settled).toBe(true);
  const after = (await get("/v1/balance")).body;
  expect(after.available).toBe("600");
  expect(after.grants.map((grant: { source: string }) => grant.source)).toEqual(["free", "free"]);
  expect(after.nextReset.at > before.nextReset.at).toBe(true);
});

it("keeps its anchor, and takes other terms from the next cycle on", async () => {
  const fixed = await put({ credits: "600", anchor: "2020-03-01T00:00:00Z" });
  expect([fixed.status, fixed.body.error.code, fixed.body.error.param]).toEqual([
    409,
    "quota_anchor_fixed",
    "anchor",
  ]);
  expect((await get("/v1/quota")).body.quota.credits).toBe("500");
  expect((await put({ credits: "750" })).body.quota).toMatchObject({ credits: "750", rollover: null });
  expect((await get("/v1/balance")).body.available).toBe("600");
  await world.call(world.adminKey, "POST", "/sandbox/clock", { advance: "1mo" });
  expect((await get("/v1/balance")).body.available).toBe("750");
  await put({ credits: "0" });
  await world.call(world.adminKey, "POST", "/sandbox/clock", { advance: "1mo" });
  expect((await get("/v1/balance")).body).toMatchObject({ available: "0", nextReset: null });
});

it.each([
  [{ credits: "2000.000001" }, "credits: must be at most 2000", "credits"],
  [{ credits: 500 }, "credits: must be a decimal string", "credits"],
  [{ credits: "-1" }, "credits: must be 0 or more", "credits"],
  [{ anchor: "yesterday" }, "anchor: must be an ISO 8601 instant", "anchor"],
  [{ rollover: { cap: "0" } }, "rollover.cap: must be more than 0", "rollover.cap"],
  [{ rollover: { cap: "5", months: 13 } }, "rollover.months: must be 1 to 12", "rollover.months"],
  [{ day: 31 }, "day: is not a field of this request", "day"],
])("refuses %j by the field", async (body, message, param) => {
  const answer = await put(body);
  expect([answer.status, answer.body.error.param]).toEqual([422, param]);
  expect(answer.body.error.message).toContain(message);
});

it("of an account that does not exist is refused", async () => {
  expect((await put({}, "acct_nobody")).body.error.code).toBe("account_unknown");
});

it("comes with a person's account, with starter credits, and is shown by the command", async () => {
  const person = await running.identity.people.findOrCreate("ann@example.org");
  const query = `?accountId=${person.accountId}`;
  const { body } = await running.call(running.adminKey, "GET", `/v1/balance${query}`);
  expect(body).toMatchObject({ available: "550", nextReset: { amount: "500" } });
  await running.identity.people.create({ username: "fixture", welcome: false });
  const fixture = (await running.identity.people.find("fixture"))!;
  const empty = await running.call(running.adminKey, "GET", `/v1/balance?accountId=${fixture.accountId}`);
  expect(empty.body).toMatchObject({ available: "0", nextReset: null });

  const environment = { BURSAR_URL: running.url, BURSAR_ADMIN_KEY: running.adminKey };
  const set = await bursar(
    ["quota", "set", "--account", fixture.accountId, "--credits", "70", "--rollover-cap", "20"],
    { environment },
  );
  expect([set.code, set.stderr]).toEqual([0, ""]);
  expect(set.stdout).toContain("rolls over          up to 20 credits, for 1 month");
  const shown = await bursar(["quota", "--account", fixture.accountId], { environment });
  expect(shown.stdout).toContain("70 credits");
});
