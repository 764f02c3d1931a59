/** What follows the payment of a plan: its papers, its card, its reminders, its refunds and disputes; by the real adapter
 *  and the official SDK, over HTTP to a Stripe that keeps Stripe's rules. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addMonths } from "@bursar/contract/calendar";
import type { Instant } from "@bursar/contract/instant";
import { deliverMails } from "@bursar/engine/mail/deliver";
import { mailNotices } from "@bursar/engine/notice/mail";
import { startSandboxMail } from "@bursar/sandbox/mail";
import { stripeOf } from "@bursar/stripe/client";
import { extractText, getDocumentProxy } from "unpdf";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bursar } from "../../cli/src/testing/bursar.ts";
import { peopleOfAccount } from "../src/identity/recipients.ts";
import { openSmtp } from "../src/mail/smtp.ts";
import { type PayingWorld, startPayingWorld } from "./paying-world.ts";

const DAY = 86_400;

let world: PayingWorld;
let start: Instant;
beforeEach(async () => {
  world = await startPayingWorld({ timeoutMilliseconds: 10_000 });
  start = world.clock.now();
});
afterEach(async () => {
  await world.verify();
  await world.close();
});

type Account = Awaited<ReturnType<PayingWorld["account"]>>;

const client = () => stripeOf(world.stripe);
const begin = async (account: Account, more: object = {}) => {
  const begun = await account.post("/v1/subscription", { plan: "galaxy", currency: "eur", ...more });
  expect([begun.status, begun.body.subscription?.state]).toEqual([201, "active"]);
  await world.settle();
};
const current = async (account: Account) => (await account.get("/v1/subscription")).body.subscription;
const invoices = async (account: Account) => (await account.get("/v1/invoices")).body.invoices;
const newest = async (account: Account) => (await invoices(account))[0];
/** To a little after the n-th renewal, when the credits of the period before are gone, too. */
const passTo = (months: number) =>
  world.advance((addMonths(start, months) - world.clock.now()) / 1_000_000 + 2 * 3600 + 60);
const addCard = async (account: Account, paymentMethod: string) =>
  (await account.post("/v1/payment-methods", { paymentMethod })).body.paymentMethod.id as string;
const chargeOf = async (account: Account) => {
  const customer = await world.engine.pool.query(
    "select customer_id as id from payment_customers where account_id = $1",
    [account.id],
  );
  return (await client().charges.list({ customer: customer.rows[0].id, limit: 1 })).data[0]!;
};

describe("an invoice as PDF", () => {
  const pdf = async (account: Account, path: string) => {
    const headers = { authorization: `Bearer ${account.key}` };
    const response = await fetch(`${world.url}/v1/invoices/${path}`, { headers });
    const bytes = Buffer.from(await response.arrayBuffer());
    if (response.status !== 200) return { status: response.status, text: bytes.toString(), bytes };
    const { text } = await extractText(await getDocumentProxy(new Uint8Array(bytes)), { mergePages: true });
    // Long words are broken.
    return { status: 200, text: text.replaceAll("\n", ""), bytes };
  };

  it("says what was changed in the middle of a month, who paid with what, and what it gives; the same bytes each time", async () => {
    const account = await world.account();
    await begin(account, { plan: "orbit" });
    await world.advance(10 * DAY);
    const changed = await account.call("PATCH", "/v1/subscription", { plan: "galaxy" });
    expect(changed.status).toBe(200);
    await world.settle();
    const invoice = await newest(account);
    const { status, text, bytes } = await pdf(account, `${invoice.id}/invoice.pdf`);
    expect(status).toBe(200);
    for (const part of [
      "Invoice",
      invoice.number,
      "Test seller",
      account.id,
      "Unused time on 1 × Orbit",
      "Remaining time on 1 × Galaxy",
      "visa •••• 4242",
      `€${(invoice.amountPaid / 100).toFixed(2)}`,
    ])
      expect(text).toContain(part);
    const given = Number(await account.available()) - 100;
    expect(text).toContain(String(given).slice(0, 6));
    const byNumber = await pdf(account, `${invoice.number}/invoice.pdf`);
    expect(byNumber.bytes.equals(bytes)).toBe(true);
    expect(invoice).toMatchObject({ paidWith: "visa •••• 4242", paidAt: expect.any(String), refunded: 0 });
  });

  it("is there also for a plan that was made at the provider alone", async () => {
    const account = await world.account();
    await begin(account, { plan: "orbit" });
    const { customer } = await chargeOf(account);
    const [subscription] = (await client().subscriptions.list({ customer: customer as string })).data;
    const { id: product } = await client().products.create({ name: "By hand" });
    const price = { currency: "eur", product, unit_amount: 5000, recurring: { interval: "month" } } as const;
    const items = [{ id: subscription!.items.data[0]!.id, price_data: price }];
    await client().subscriptions.update(subscription!.id, { items, proration_behavior: "always_invoice" });
    await world.settle();
    // Both invoices are of one second.
    const { id, amountPaid } = (await invoices(account)).find(
      ({ plan }: { plan: string | null }) => plan === null,
    )!;
    expect(amountPaid).toBe(4001);
    const { status, text } = await pdf(account, `${id}/invoice.pdf`);
    expect(status).toBe(200);
    expect(text).toContain("€40.01");
  });

  it("is not there for what Postgres cannot store", async () => {
    const account = await world.account();
    for (const path of [
      "%00/invoice.pdf",
      "in_1/credit-note.pdf?refund=%00",
      "in_1/invoice.pdf?accountId=a%00",
    ])
      expect([path, (await pdf(account, path)).status]).toEqual([path, 422]);
  });

  it("is in the currency in which the plan was begun; yen have no cents", async () => {
    const account = await world.account();
    await begin(account, { currency: "jpy" });
    const { number, amountPaid } = await newest(account);
    expect(amountPaid).toBe(6000);
    const { text } = await pdf(account, `${number}/invoice.pdf`);
    expect(text).toContain("¥6,000");
    expect(text).toContain("Credits 550");
  });

  it("has a credit note for each refund, and is nobody else's", async () => {
    const [account, other] = [await world.account(), await world.account()];
    await begin(account);
    const { id, number } = await newest(account);
    expect(JSON.parse((await pdf(account, `${id}/credit-note.pdf`)).text).error.code).toBe("invoice_unknown");
    const { id: charge } = await chargeOf(account);
    const refund = await client().refunds.create({ charge, amount: 500 });
    await world.settle();
    await client().refunds.create({ charge, amount: 250 });
    await world.settle();
    await expect.poll(() => newest(account)).toMatchObject({ refunded: 750, disputed: false });
    const note = await pdf(account, `${id}/credit-note.pdf?refund=${refund.id}`);
    for (const part of ["Credit note", "For invoice", number, refund.id, "€5.00"])
      expect(note.text).toContain(part);
    expect((await pdf(account, `${id}/credit-note.pdf`)).text).toContain("€2.50");
    for (const path of [`${id}/invoice.pdf`, `${id}/credit-note.pdf`, "in_none/invoice.pdf"])
      expect((await pdf(other, path)).status).toBe(404);

    const folder = await mkdtemp(join(tmpdir(), "bursar-invoices-"));
    const environment = { BURSAR_URL: world.url, BURSAR_API_KEY: account.key };
    expect((await bursar(["invoices"], { environment })).stdout).toMatch(
      /paid, partly paid back .*EUR 39\.99/,
    );
    const saved = await bursar(["invoices", "pdf", number], { environment, folder });
    expect([saved.code, saved.stderr]).toEqual([0, ""]);
    const file = await readFile(join(folder, `invoice-${number}.pdf`));
    expect(file.equals((await pdf(account, `${id}/invoice.pdf`)).bytes)).toBe(true);
    await rm(folder, { recursive: true });
  });
});

describe("a plan's card", () => {
  it("is the account's new default from the next renewal on, whether it was changed here or at the provider", async () => {
    const account = await world.account();
    await begin(account);
    const second = await addCard(account, "pm_card_mastercard");
    await account.call("PUT", "/v1/payment-methods/default", { paymentMethod: second });
    await passTo(1);
    await expect.poll(() => newest(account)).toMatchObject({ paidWith: "mastercard •••• 4444" });
    const { customer } = await chargeOf(account);
    await client().customers.update(customer as string, {
      invoice_settings: { default_payment_method: account.methodId },
    });
    await world.settle();
    await passTo(2);
    await expect.poll(() => newest(account)).toMatchObject({ paidWith: "visa •••• 4242" });
  });

  it("stays the one that was named at the beginning, until the default changes at the provider alone", async () => {
    const account = await world.account();
    const named = await addCard(account, "pm_card_mastercard");
    await begin(account, { paymentMethod: named });
    await passTo(1);
    await expect.poll(() => newest(account)).toMatchObject({ paidWith: "mastercard •••• 4444" });
    const third = await addCard(account, "pm_card_amex");
    const { customer } = await chargeOf(account);
    await client().customers.update(customer as string, {
      invoice_settings: { default_payment_method: third },
    });
    await world.settle();
    await passTo(2);
    await expect.poll(async () => (await newest(account)).paidWith).toContain("amex");
  });

  it("when removed gives way to another, and where there is none, is charged no more: the reminders begin", async () => {
    const account = await world.account();
    await begin(account);
    const second = await addCard(account, "pm_card_mastercard");
    // At the provider, without us.
    await client().paymentMethods.detach(account.methodId);
    await world.settle();
    await passTo(1);
    await expect.poll(() => newest(account)).toMatchObject({ paidWith: "mastercard •••• 4444" });

    const before = (await client().charges.list({ limit: 100 })).data.length;
    await account.call("DELETE", "/v1/payment-methods", { paymentMethod: second });
    await passTo(2);
    await expect.poll(() => current(account)).toMatchObject({ state: "past_due" });
    await expect.poll(account.notices).toContain("subscription_past_due");
    expect((await client().charges.list({ limit: 100 })).data).toHaveLength(before);

    await addCard(account, "pm_card_visa");
    await world.advance(3 * DAY + 60);
    await expect.poll(() => current(account)).toMatchObject({ state: "active", graceUntil: null });
    expect(await newest(account)).toMatchObject({ status: "paid", paidWith: "visa •••• 4242" });
  });
});

it("an unpaid renewal is mailed at every try with where to pay and when it ends, and its end is mailed too", async () => {
  const mailbox = await startSandboxMail({ now: () => new Date(world.clock.now() / 1000) });
  const smtp = openSmtp({ url: mailbox.smtpUrl, from: "Bursar <bursar@sandbox.test>" });
  const email = "ada@example.org";
  const made = await world.identity.people.create({ email, emailVerified: true, welcome: false });
  if (made.kind !== "created") throw new Error("not created");
  const { accountId } = made.person;
  const key = await world.engine.keys.create({ accountId, by: "test" });
  if (key.kind !== "created") throw new Error("no key");
  const call = (method: string, path: string, body?: unknown) => world.call(key.key, method, path, body);
  const { body } = await call("POST", "/v1/payment-methods", { paymentMethod: "pm_card_visa" });
  await call("POST", "/v1/subscription", { plan: "orbit", currency: "eur" });
  const mails = async () => {
    await world.settle();
    while ((await mailNotices(world.engine, peopleOfAccount, () => world.url)) > 0);
    while ((await deliverMails(world.engine, smtp)) > 0);
    const told = mailbox.list(email).filter(({ subject }) => subject.includes("subscription"));
    const all = told.map(({ subject, text }) => ({ subject, text }));
    await mailbox.clear();
    return all;
  };
  const about = (text: string) => ({
    subject: "Your subscription could not be renewed",
    text: expect.stringContaining(text),
  });

  expect((await mails()).map(({ subject }) => subject)).toEqual(["Your subscription has begun"]);
  world.stripe.changeCard(body.paymentMethod.id, { behavesAs: "pm_card_chargeDeclined" });
  await passTo(1);
  const grace = new Date(world.clock.now() / 1000 + 7 * DAY * 1000).toISOString().slice(0, 10);
  const first = await mails();
  expect(first).toEqual([about("EUR 9.99 could not be charged (try 1); it is tried again.")]);
  expect(first[0]!.text).toMatch(/Pay here: http:\S+\/sandbox\/invoices\/in_/);
  expect(first[0]!.text).toContain(`If it is not paid by ${grace}, the plan ends.`);
  await world.advance(3 * DAY + 60);
  expect(await mails()).toEqual([about("(try 2)")]);
  await world.advance(3 * DAY);
  expect(await mails()).toEqual([]);
  for (let day = 0; day < 3; day++) await world.advance(DAY);
  const end = "The plan orbit has ended because its renewal was not paid. Credits that you bought stay.";
  expect(await mails()).toEqual([
    { subject: "Your subscription has ended", text: expect.stringContaining(end) },
  ]);
  await world.advance(10 * DAY);
  expect(await mails()).toEqual([]);
  await mailbox.close();
});

describe("the money of an invoice", () => {
  it("disputed, freezes that grant's remainder alone, and auto top-up; won, all goes on", async () => {
    const account = await world.account("40");
    await begin(account);
    await account.post("/v1/spend", { id: "some", amount: "90" });
    expect(await account.balance()).toEqual(["500", "0", "0"]);
    const policy = await account.policy({ threshold: "10", target: "1000" });
    expect(policy.status).toBe(200);
    const { id: charge } = await chargeOf(account);
    const dispute = world.stripe.openDispute(charge);
    await world.settle();
    await expect.poll(account.balance).toEqual(["0", "500", "0"]);
    await expect.poll(() => newest(account)).toMatchObject({ disputed: true });
    const short = await account.post("/v1/spend", { id: "none", amount: "1" });
    expect([short.status, short.body.error.topUp]).toEqual([402, "suspended"]);
    world.stripe.closeDispute(dispute.id, "won");
    await world.settle();
    await expect.poll(account.balance).toEqual(["500", "0", "0"]);
    expect(await newest(account)).toMatchObject({ disputed: false, refunded: 0 });
  });

  it("disputed and lost, takes its credits, and switches auto top-up off", async () => {
    const account = await world.account("1000");
    await begin(account);
    await account.policy();
    const dispute = world.stripe.openDispute((await chargeOf(account)).id);
    await world.settle();
    await expect.poll(account.balance).toEqual(["1000", "550", "0"]);
    world.stripe.closeDispute(dispute.id, "lost");
    await world.settle();
    await expect.poll(account.balance).toEqual(["1000", "0", "0"]);
    expect((await account.get("/v1/topup-policy")).body).toMatchObject({
      enabled: false,
      disabledReason: "dispute_lost",
    });
    expect((await account.notices()).filter((kind) => kind.startsWith("dispute_"))).toHaveLength(2);
  });

  it("paid back in vain, gives its credits again", async () => {
    const account = await world.account("0", "pm_card_refundFail");
    await begin(account);
    await client().refunds.create({ charge: (await chargeOf(account)).id });
    await world.settle();
    await expect.poll(account.balance).toEqual(["0", "0", "0"]);
    await world.advance(7 * DAY);
    await expect.poll(account.balance).toEqual(["550", "0", "0"]);
    expect(await newest(account)).toMatchObject({ refunded: 0 });
    expect((await account.notices()).filter((kind) => kind === "refund")).toHaveLength(2);
    await world.advance(DAY);
    expect(await account.balance()).toEqual(["550", "0", "0"]);
  });
});
