import { expect, test } from "vitest";
import { errorOf, useSandboxStripe } from "./testing/world.ts";

const { sandbox, stripe, receiver, advance } = await useSandboxStripe();
sandbox.register(receiver.url);

async function paid(token = "pm_card_visa", amount = 1000) {
  const customer = await stripe.customers.create();
  const method = await stripe.paymentMethods.attach(token, { customer: customer.id });
  const intent = await stripe.paymentIntents.create({
    amount,
    currency: "usd",
    customer: customer.id,
    payment_method: method.id,
    off_session: true,
    confirm: true,
  });
  await sandbox.tick();
  receiver.clear();
  return intent.id;
}

const chargeIn = (id: string) =>
  stripe.paymentIntents
    .retrieve(id, { expand: ["latest_charge.refunds"] })
    .then(({ latest_charge: charge }) => charge as Exclude<typeof charge, string | null>);

test("refunds in parts add up, and end at what was paid", async () => {
  const intent = await paid();
  await stripe.refunds.create({ payment_intent: intent, amount: 300, reason: "requested_by_customer" });
  expect(await chargeIn(intent)).toMatchObject({ amount_refunded: 300, refunded: false });
  const tooMuch = await errorOf(stripe.refunds.create({ payment_intent: intent, amount: 701 }));
  expect(tooMuch.message).toBe("Refund amount ($7.01) is greater than unrefunded amount on charge ($7.00)");
  await stripe.refunds.create({ payment_intent: intent });
  const charge = await chargeIn(intent);
  expect(charge).toMatchObject({ amount_refunded: 1000, refunded: true });
  expect(charge.refunds!.data.map(({ amount }) => amount)).toEqual([700, 300]);
  const again = await errorOf(stripe.refunds.create({ charge: charge.id }));
  expect(again).toMatchObject({ code: "charge_already_refunded", statusCode: 400 });
  await sandbox.tick();
  const told = receiver.received.filter(({ event }) => event.type === "charge.refunded");
  expect(told.map(({ event }) => (event.data.object as { amount_refunded: number }).amount_refunded)).toEqual(
    [300, 1000],
  );
});

test("a refund that is repeated with its key is made once", async () => {
  const intent = await paid();
  sandbox.faults.add({ kind: "cut", on: "POST /v1/refunds" });
  const refund = await stripe.refunds.create(
    { payment_intent: intent, amount: 100 },
    { idempotencyKey: "refund_1", maxNetworkRetries: 2 },
  );
  const all = await stripe.refunds.list({ payment_intent: intent });
  expect(all.data.map(({ id }) => id)).toEqual([refund.id]);
});

test("a refund may take minutes, or fail after all and come back", async () => {
  const slow = await paid("pm_card_pendingRefund");
  const bad = await paid("pm_card_refundFail");
  const pending = await stripe.refunds.create({ payment_intent: slow });
  const failing = await stripe.refunds.create({ payment_intent: bad });
  expect([pending.status, failing.status]).toEqual(["pending", "succeeded"]);
  await advance(3 * 60_000);
  expect((await stripe.refunds.retrieve(pending.id)).status).toBe("succeeded");
  expect(await stripe.refunds.retrieve(failing.id)).toMatchObject({
    status: "failed",
    failure_reason: "unknown",
  });
  expect(await chargeIn(bad)).toMatchObject({ amount_refunded: 0, refunded: false });
  expect(receiver.types()).toContain("refund.failed");
});

test("a disputing card: the money goes at once, and comes back when the dispute is won", async () => {
  const intent = await paid("pm_card_createDispute");
  const charge = await chargeIn(intent);
  const [dispute] = (await stripe.disputes.list({ payment_intent: intent })).data;
  expect(dispute).toMatchObject({
    status: "needs_response",
    reason: "fraudulent",
    amount: 1000,
    charge: charge.id,
  });
  expect(dispute!.balance_transactions).toMatchObject([{ amount: -1000, fee: 1500 }]);
  expect((await errorOf(stripe.refunds.create({ charge: charge.id }))).code).toBe("charge_disputed");
  await stripe.disputes.update(dispute!.id, { evidence: { uncategorized_text: "winning_evidence" } });
  await sandbox.tick();
  expect(await stripe.disputes.retrieve(dispute!.id)).toMatchObject({
    status: "won",
    evidence_details: { submission_count: 1 },
  });
  await sandbox.tick();
  expect(receiver.types().slice(-3)).toEqual([
    "charge.dispute.updated",
    "charge.dispute.funds_reinstated",
    "charge.dispute.closed",
  ]);
});

test("a dispute is opened and lost by hand, and closes once", async () => {
  const intent = await paid();
  const opened = sandbox.openDispute(intent, "product_not_received");
  const lost = sandbox.closeDispute(opened.id, "lost");
  expect(lost).toMatchObject({ status: "lost", reason: "product_not_received" });
  expect(() => sandbox.closeDispute(opened.id, "won")).toThrow("is closed: lost");
  expect(() => sandbox.openDispute(intent)).toThrow("disputed already");
  await sandbox.tick();
  expect(receiver.types()).toEqual([
    "charge.dispute.created",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.closed",
  ]);
});

test("what a bank has decided is appealed against: lost it may be won, and won lost", async () => {
  const intent = await paid();
  const { id } = sandbox.openDispute(intent);
  expect(() => sandbox.appealDispute(id)).toThrow("is open: needs_response");
  sandbox.closeDispute(id, "lost");
  expect(sandbox.appealDispute(id).status).toBe("appeal_needs_response");
  const evidence = { uncategorized_text: "winning_evidence" };
  expect((await errorOf(stripe.disputes.update(id, { evidence }))).message).toContain("An appeal takes no");
  sandbox.closeDispute(id, "won");
  sandbox.appealDispute(id);
  await advance(9 * 86_400_000);
  const { status, balance_transactions: booked } = await stripe.disputes.retrieve(id);
  expect([status, ...booked.map(({ amount }) => amount)]).toEqual(["lost", -1000, 1000, -1000]);
  expect(receiver.types().slice(2)).toEqual([
    "charge.dispute.closed",
    "charge.dispute.updated",
    "charge.dispute.funds_reinstated",
    "charge.dispute.closed",
    "charge.dispute.updated",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.closed",
  ]);
});

test("the balance is the sum of what moved it, and usable two days later", async () => {
  const sums = async () => {
    const { available, pending } = await stripe.balance.retrieve();
    return [available, pending].map((sides) => sides.reduce((sum, { amount }) => sum + amount, 0));
  };
  await advance(2 * 86_400_000);
  const [before] = await sums();
  const intent = await paid("pm_card_visa", 2000);
  await stripe.refunds.create({ payment_intent: intent, amount: 500 });
  expect(await sums()).toEqual([before, 2000 - 88 - 500]);
  await advance(2 * 86_400_000);
  expect(await sums()).toEqual([before! + 1412, 0]);
});

test("a dispute that nobody answers is lost after nine days; an inquiry comes to nothing", async () => {
  const intent = await paid();
  const asked = await paid("pm_card_createDisputeInquiry");
  const { id } = sandbox.openDispute(intent);
  const [inquiry] = (await stripe.disputes.list({ payment_intent: asked })).data;
  expect(inquiry).toMatchObject({ status: "warning_needs_response", balance_transactions: [] });
  await advance(9 * 86_400_000);
  expect(await stripe.disputes.retrieve(id)).toMatchObject({
    status: "lost",
    evidence_details: { past_due: true },
  });
  expect((await stripe.disputes.retrieve(inquiry!.id)).status).toBe("warning_closed");
});
