import { createTestDatabase } from "@bursar/database/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openTestLedger, SECOND, type TestLedger } from "../../test/ledger-on-test-database.ts";
import { type Payments, PaymentsUnavailable, type ProviderEvent } from "../payment/payments.ts";
import { catchUpEvents } from "./resend.ts";
import { listEvents } from "./store.ts";

let one: TestLedger;
beforeAll(async () => {
  one = await openTestLedger(createTestDatabase);
});
afterAll(() => one.close());

it("after a clock that was ahead is set right, all that may have been missed is read, and soon", async () => {
  const asked: number[] = [];
  const payments = {
    // oxlint-disable-next-line require-yield -- there are none
    async *eventsSince(since) {
      await Promise.resolve();
      asked.push(since);
    },
  } satisfies Pick<Payments, "eventsSince">;
  const catchUp = catchUpEvents({ ...one, payments } as unknown as Parameters<typeof catchUpEvents>[0], {});
  const [hour, day] = [3600 * SECOND, 86_400 * SECOND];
  const now = one.clock.now();
  one.clock.advance(2 * day);
  await catchUp();
  one.clock.advance(-2 * day);
  await catchUp();
  one.clock.advance(900 * SECOND);
  await catchUp();
  expect(asked.map((since) => since - now)).toEqual([day, -day, -hour]);
});

const eventOf = (number: number, type = "known"): ProviderEvent => ({
  ...{ id: `evt_${number}`, type, createdAt: one.clock.now() },
  body: { text: `'"\\ NULL {,} ${number}` },
});

it("what the provider lists is taken in once, whole, also what came before it failed; what nobody handles is not", async () => {
  let failsAfter = 130;
  const payments = {
    async *eventsSince() {
      for (let number = 1; number <= 250; number++) {
        if (number > failsAfter) throw new PaymentsUnavailable("gone");
        yield eventOf(number, number % 10 === 0 ? "unknown" : "known");
        if (number === 7) yield eventOf(number);
      }
    },
  } satisfies Pick<Payments, "eventsSince">;
  const deps = { ...one, payments } as unknown as Parameters<typeof catchUpEvents>[0];
  const catchUp = catchUpEvents(deps, { known: () => Promise.resolve() } as never);
  const kept = async () => (await listEvents(one.pool, { state: null, limit: 1000, after: null })).length;
  await expect(catchUp()).rejects.toThrow(PaymentsUnavailable);
  expect(await kept()).toBe(117);
  failsAfter = 1000;
  one.clock.advance(900 * SECOND);
  expect(await catchUp()).toBe(225 - 117);
  expect(await kept()).toBe(225);
  const { rows } = await one.pool.query("select body from payment_events where event_id = 'evt_249'");
  expect(rows).toEqual([{ body: eventOf(249).body }]);
});
