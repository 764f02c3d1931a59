/** At the turn of a month old credits may go a moment before new ones come: nobody is charged or told for that moment. */
import { deliverEffects } from "@bursar/engine/effect/deliver";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type PayingWorld, startPayingWorld } from "./paying-world.ts";

let world: PayingWorld;
beforeAll(async () => {
  world = await startPayingWorld();
});
afterAll(async () => {
  await world.verify();
  await world.close();
});

/** One job alone, as its own loop may run before the others'. */
const run = (name: string) => world.jobs.find((job) => job.name === name)!.run();

it("auto top-up waits for the month's quota, and a low balance that it mends is not told; one that it does not mend is", async () => {
  const [account, other] = [await world.account(), await world.account("0", null)];
  for (const { id } of [account, other]) {
    await world.admin("PUT", `/v1/accounts/${id}/quota`, { credits: "500" });
    await world.engine.pool.query("update accounts set alert_below = 100000000 where account_id = $1", [id]);
  }
  await world.admin("PUT", `/v1/accounts/${other.id}/quota`, { credits: "50" });
  expect((await account.policy({ threshold: "100", target: "1000" })).status).toBe(200);
  await world.settle();
  const { nextReset } = (await account.get("/v1/balance")).body;
  world.clock.time = (Date.parse(nextReset.at) * 1000) as typeof world.clock.time;
  await run("sweep");
  await run("top-ups");
  await run("effects");
  await world.settle();
  expect(await account.attempts()).toEqual([]);
  expect([await account.available(), await other.available()]).toEqual(["500", "50"]);
  expect(await account.notices()).not.toContain("credit_warning");
  expect(await other.notices()).toContain("credit_warning");
});

it("an account whose quota cannot come now keeps no other's notice back", async () => {
  const accounts = [await world.account("0", null), await world.account("0", null)];
  for (const { id } of accounts) {
    await world.admin("PUT", `/v1/accounts/${id}/quota`, { credits: "500" });
    await world.admin("PUT", `/v1/accounts/${id}/quota`, { credits: "50" });
    await world.engine.pool.query("update accounts set alert_below = 100000000 where account_id = $1", [id]);
  }
  await world.settle();
  const [broken, other] = [accounts[0]!, accounts[1]!];
  const { nextReset } = (await other.get("/v1/balance")).body;
  world.clock.time = (Date.parse(nextReset.at) * 1000) as typeof world.clock.time;
  await run("sweep");
  const { ledger } = world.engine;
  const submit: typeof ledger.submit = (command) =>
    command.accountId === broken.id ? Promise.reject(new Error("not now")) : ledger.submit(command);
  expect(await deliverEffects({ ...world.engine, ledger: { ...ledger, submit } })).toBeGreaterThan(1);
  expect(await other.notices()).toContain("credit_warning");
  expect(await broken.notices()).toContain("credit_warning");
  await world.settle();
  expect([await broken.available(), await other.available()]).toEqual(["50", "50"]);
});
