import type { GrantId } from "@bursar/contract/ids";
import { addSeconds } from "@bursar/contract/instant";
import { credits } from "@bursar/contract/money";
import { grant } from "@bursar/engine/grant/grant";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bursar } from "../../cli/src/testing/bursar.ts";
import { type SandboxWorld, startSandboxWorld } from "./sandbox-world.ts";

let world: SandboxWorld;
beforeAll(async () => {
  world = await startSandboxWorld();
});
afterAll(() => world.close());

const get = async (path: string) => (await world.call(world.accountKey, "GET", path)).body;
const advance = (by: string) => world.call(world.adminKey, "POST", "/sandbox/clock", { advance: by });
const run = (...args: string[]) =>
  bursar(args, { environment: { BURSAR_URL: world.url, BURSAR_API_KEY: world.accountKey } });

it("shows what expires when, and how long credits last by what was used", async () => {
  const { accountId, engine } = world;
  // No midnight passes between two calls.
  await world.clock.freeze(true);
  const give = (id: string, amount: string, days: number | null, source: "promo" | "purchase") =>
    grant(engine, {
      accountId,
      id: id as GrantId,
      amount: credits(amount),
      source,
      expiresAt: days === null ? null : addSeconds(engine.clock.now(), days * 86_400),
      by: "test",
    });
  await give("bought", "100", null, "purchase");
  await give("later", "20", 90, "promo");
  await give("sooner", "30", 60, "promo");
  expect(await get("/v1/expiries")).toMatchObject({
    expiries: [
      { grantId: "sooner", source: "promo", amount: "30", cumulative: "30" },
      { grantId: "later", amount: "20", cumulative: "50" },
    ],
    lasting: "100",
  });
  expect(await get("/v1/forecast")).toMatchObject({ estimate: null, reason: "too_little_data" });
  for (let day = 0; day < 4; day++) {
    await advance("1d");
    await world.call(world.accountKey, "POST", "/v1/spend", {
      id: `day ${day}`.replace(" ", "-"),
      amount: "10",
    });
  }
  const forecast = await get("/v1/forecast");
  expect(forecast).toMatchObject({
    available: "110",
    scoped: "0",
    estimate: { perDay: "10", basedOnDays: 4, daysLeft: 11, topUpAt: null },
    reason: null,
    nextExpiry: { amount: "10" },
    nextReset: null,
  });
  const shown = await run("forecast");
  expect([shown.code, shown.stderr]).toEqual([0, ""]);
  expect(shown.stdout).toContain("10, by 4 days");
  expect((await run("expiries")).stdout).toContain("100 credits never expire.");
  expect((await get("/v1/notices")).notices).toEqual([]);
  await advance("60d");
  expect((await get("/v1/notices")).notices).toMatchObject([{ kind: "expiry_reminder" }]);
});
