import { carryOnPayments } from "@bursar/engine/payment/due";
import { processEvents } from "@bursar/engine/payment-event/process";
import { NO_NEED, topUp } from "@bursar/engine/topup/buy";
import { watchTopUps } from "@bursar/engine/topup/watch";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EVENT_HANDLERS } from "../src/payments/handlers.ts";
import { Death, type Mortality, mortal } from "./mortal.ts";
import { type PayingWorld, startPayingWorld } from "./paying-world.ts";

let world: PayingWorld;
beforeAll(async () => {
  world = await startPayingWorld({ timeoutMilliseconds: 300 });
});
afterAll(() => world.close());

type Account = Awaited<ReturnType<PayingWorld["account"]>>;

/** What Stripe has really taken, in cents. */
async function taken(account: Account): Promise<number[]> {
  const { rows } = await world.engine.pool.query<{ id: string }>(
    "select customer_id as id from payment_customers where account_id = $1",
    [account.id],
  );
  const response = await fetch(`${world.stripe.url}/v1/payment_intents?limit=100&customer=${rows[0]!.id}`, {
    headers: { authorization: `Bearer ${world.stripe.secretKey}` },
  });
  const { data } = (await response.json()) as { data: { amount_received: number }[] };
  return data.map((intent) => intent.amount_received).filter((amount) => amount > 0);
}

/** One process does everything a top-up needs, and dies on the way. Then another one, which knows nothing of it, does
 *  what is due. True when the first one got through alive. */
async function dieAndHeal(account: Account, mortality: Mortality): Promise<boolean> {
  const { deps, hasDied } = mortal(world.paying, mortality);
  try {
    await watchTopUps(deps)();
    await topUp(deps, account.id, NO_NEED);
    await world.stripe.tick();
    await processEvents(deps, EVENT_HANDLERS);
    await carryOnPayments(deps);
  } catch (error) {
    if (!(error instanceof Death) && !hasDied()) throw error;
  }
  // The leases of the dead end; these are in real time, which the test does not wait for.
  await world.engine.pool.query("update payments set leased_until = null where account_id = $1", [
    account.id,
  ]);
  await world.engine.pool.query("update payment_events set leased_until = null");
  for (let round = 0; round < 4; round++) await world.advance(700);
  return !hasDied();
}

/** At every step there is, before and after it. */
async function atEveryStep(prepare: () => Promise<Account>, check: (account: Account) => Promise<void>) {
  let steps = 0;
  for (let step = 1; ; step++) {
    let survived = true;
    for (const when of ["before", "after"] as const) {
      const account = await prepare();
      survived = (await dieAndHeal(account, { step, when })) && survived;
      await check(account);
    }
    if (survived) break;
    steps = step;
  }
  // Fewer would mean that the process no longer dies where it used to.
  expect(steps).toBeGreaterThan(15);
}

describe("a process that dies anywhere on the way to a top-up", () => {
  it("leaves one charge, and exactly its credits", async () => {
    const prepare = async () => {
      const account = await world.account("100");
      await account.policy();
      return account;
    };
    await atEveryStep(prepare, async (account) => {
      expect(await taken(account)).toEqual([380]);
      expect(await account.available()).toBe("2000");
      expect((await account.attempts()).filter(({ state }) => state === "confirmed")).toHaveLength(1);
    });
    await world.verify();
  }, 120_000);

  it("leaves nothing charged and the policy off where the card is declined", async () => {
    const prepare = async () => {
      const account = await world.account("100", "pm_card_chargeCustomerFail");
      await account.policy();
      return account;
    };
    await atEveryStep(prepare, async (account) => {
      expect(await taken(account)).toEqual([]);
      expect(await account.available()).toBe("100");
      expect((await account.get("/v1/topup-policy")).body.enabled).toBe(false);
      expect((await account.notices()).filter((kind) => kind === "topup_disabled")).toHaveLength(1);
    });
  }, 120_000);
});
