import { type GrantId, newOperationId } from "@bursar/contract/ids";
import { addSeconds, formatInstant } from "@bursar/contract/instant";
import { credits } from "@bursar/contract/money";
import { grant } from "@bursar/engine/grant/grant";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Running, startRunning } from "./running.ts";
import { type SandboxWorld, startSandboxWorld } from "./sandbox-world.ts";

let world: SandboxWorld;
let live: Running;

beforeAll(async () => {
  world = await startSandboxWorld();
  live = await startRunning();
});

afterAll(async () => {
  await world.close();
  await live.close();
});

const advance = (by: string) => world.call(world.adminKey, "POST", "/sandbox/clock", { advance: by });
const days = (count: number) => addSeconds(world.clock.now(), count * 86_400);

it("answers an advance when all that became due is done, however much that is", async () => {
  const { accountId, accountKey, engine } = world;
  // More than one sweep takes, and some with nothing left of them.
  const many = Array.from({ length: 620 }, (_, index) =>
    grant(engine, {
      accountId,
      id: `grant_${index}` as GrantId,
      amount: credits("1"),
      source: "promo",
      expiresAt: days(30),
      by: "test",
    }),
  );
  await Promise.all(many);
  await world.call(accountKey, "POST", "/v1/spend", { id: newOperationId(), amount: "600" });
  await world.call(accountKey, "POST", "/v1/holds", { id: "hold_1", amount: "5" });
  const before = world.clock.now();
  const { status, body } = await advance("31d");
  expect([status, body.settled]).toEqual([200, true]);
  expect(body.now > formatInstant(addSeconds(before, 31 * 86_400))).toBe(true);
  const { rows } = await engine.pool.query(
    `select (select count(*)::int4 from grant_expiries) as grants, (select count(*)::int4 from holds) as holds`,
  );
  expect(rows[0]).toEqual({ grants: 0, holds: 0 });
  const balance = await world.call(accountKey, "GET", "/v1/balance");
  expect(balance.body).toMatchObject({ available: "0", held: "0", owed: "0" });
});

it("dates answers by the sandbox's time, for clients that tell how long something lasts", async () => {
  for (const path of ["/v1/models", "/health"]) {
    const { headers } = await world.call(world.accountKey, "GET", path);
    const ahead = world.clock.now() / 1000 - Date.parse(headers.get("date") ?? "");
    expect(Math.abs(ahead)).toBeLessThan(60_000);
  }
});

it("gives new entries the sandbox's time", async () => {
  const { accountId, accountKey, engine, clock } = world;
  const id = "grant_after" as GrantId;
  await grant(engine, { accountId, id, amount: credits("1"), source: "promo", expiresAt: null, by: "test" });
  const { body } = await world.call(accountKey, "GET", "/v1/entries?limit=1");
  expect(Date.parse(body.entries[0].at)).toBeGreaterThan(Date.now() + 30 * 86_400_000);
  expect(Date.parse(body.entries[0].at)).toBeLessThanOrEqual(clock.now() / 1000);
});

it("stops and goes on, and says so", async () => {
  const stopped = await world.call(world.adminKey, "POST", "/sandbox/clock", { freeze: true });
  expect(stopped.body).toMatchObject({ frozen: true, settled: true });
  expect((await world.call(world.adminKey, "GET", "/sandbox/clock")).body).toMatchObject({
    now: stopped.body.now,
    frozen: true,
  });
  const moved = await advance("2h");
  expect(Date.parse(moved.body.now) - Date.parse(stopped.body.now)).toBe(7_200_000);
  const going = await world.call(world.adminKey, "POST", "/sandbox/clock", { freeze: false });
  expect(going.body.frozen).toBe(false);
  expect(going.body.now >= moved.body.now).toBe(true);
});

it.each([
  [{}, "advance: give exactly one of advance and freeze", "advance"],
  [{ advance: "1d", freeze: true }, "advance: give exactly one of advance and freeze", "advance"],
  [
    { advance: "soon" },
    "advance: must be a duration like 90s, 15m, 12h, 31d, 2w or 3mo (calendar months)",
    "advance",
  ],
  [{ advance: 31 }, "advance: must be a duration like 90s, 15m", "advance"],
  [{ advance: "-1d" }, "advance: must be a duration", "advance"],
  [{ advance: "9999mo" }, "advance: must not lead beyond 2200-01-01", "advance"],
  [{ freeze: "yes" }, "freeze: must be true or false", "freeze"],
  [{ back: "1d" }, "back: is not a field of this request", "back"],
  ['"1d"', "The body must be a JSON object", null],
])("refuses %j by the field, and moves nothing", async (body, message, param) => {
  const before = (await world.call(world.adminKey, "GET", "/sandbox/clock")).body;
  const answer = await world.call(world.adminKey, "POST", "/sandbox/clock", body);
  expect(answer.status).toBe(422);
  expect(answer.body.error).toMatchObject({ code: "invalid_request", param });
  expect(answer.body.error.message).toContain(message);
  const after = (await world.call(world.adminKey, "GET", "/sandbox/clock")).body;
  expect(Date.parse(after.now) - Date.parse(before.now)).toBeLessThan(10_000);
});

it.each(["GET", "POST"])("%s needs the admin key", async (method) => {
  const body = method === "POST" ? { advance: "1d" } : undefined;
  expect((await world.call(null, method, "/sandbox/clock", body)).status).toBe(401);
  expect((await world.call("bsk_wrong", method, "/sandbox/clock", body)).status).toBe(401);
  const refused = await world.call(world.accountKey, method, "/sandbox/clock", body);
  expect([refused.status, refused.body.error.code]).toEqual([403, "admin_required"]);
});

it("without a mail server the server is ready, and says that mail is off", async () => {
  expect((await live.call(null, "GET", "/ready")).body).toMatchObject({ status: "ready", mail: "off" });
});

it.each([
  ["GET", "/sandbox/clock"],
  ["POST", "/sandbox/clock"],
  ["GET", "/sandbox/mail"],
  ["DELETE", "/sandbox/mail"],
  ["GET", "/sandbox/mail/mail_1"],
])("%s %s does not exist outside a sandbox", async (method, path) => {
  const answer = await live.call(live.adminKey, method, path);
  expect([answer.status, answer.body.error.code]).toEqual([404, "not_found"]);
});
