import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { openStripeSubscriptions } from "./open.ts";

const line = (amount: number, description: string) => ({
  id: "il_1",
  amount,
  description,
  quantity: 1,
  period: { start: 1, end: 2 },
});

/** As Stripe has them: one tax on top, one within; a discount; a balance from before; and more lines than come along. */
const INVOICE = {
  id: "in_1",
  object: "invoice",
  status: "open",
  currency: "eur",
  total: 1090,
  amount_due: 1000,
  amount_paid: 0,
  total_discount_amounts: [{ amount: 100, discount: "di_1" }],
  total_taxes: [
    {
      amount: 190,
      tax_behavior: "exclusive",
      tax_rate_details: { tax_rate: "txr_1" },
      type: "tax_rate_details",
    },
    { amount: 7, tax_behavior: "inclusive", tax_rate_details: null, type: "tax_rate_details" },
  ],
  lines: { object: "list", data: [line(600, "Galaxy")], has_more: true, url: "/v1/invoices/in_1/lines" },
  status_transitions: { paid_at: null },
  billing_reason: "subscription_cycle",
  created: 3,
};

const ANSWERS: Record<string, unknown> = {
  "/v1/invoices/in_1": INVOICE,
  "/v1/invoices/in_1/lines": {
    object: "list",
    data: [line(600, "Galaxy"), { ...line(400, ""), id: "il_2", description: null, quantity: null }],
    has_more: false,
  },
  "/v1/tax_rates/txr_1": { id: "txr_1", object: "tax_rate", display_name: "VAT", percentage: 19 },
};

it("an invoice's lines, taxes, discounts and balances add up to what is due", async () => {
  const server = createServer((request, response) => {
    const found = ANSWERS[new URL(request.url!, "http://stripe").pathname];
    response.writeHead(found === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(
      JSON.stringify(found ?? { error: { type: "invalid_request_error", code: "resource_missing" } }),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const settings = { secretKey: "sk_test_x", webhookSecret: "whsec_x", url: `http://127.0.0.1:${port}` };
  const record = await openStripeSubscriptions(settings, () => "").invoice("in_1");
  server.close();
  server.closeAllConnections();
  expect(record).toMatchObject({ reversals: [], paidAt: null, paidWith: null });
  const { lines, taxes } = record!.content;
  expect(lines).toEqual([
    { text: "Galaxy", quantity: 1, amount: 600 },
    { text: "Subscription", quantity: 1, amount: 400 },
    { text: "Discount", quantity: 1, amount: -100 },
    { text: "Balance of earlier invoices", quantity: 1, amount: -90 },
  ]);
  expect(taxes).toEqual([
    { label: "VAT 19 %", amount: 190, isIncluded: false },
    { label: "Tax", amount: 7, isIncluded: true },
  ]);
  const onTop = taxes.reduce((sum, { amount, isIncluded }) => (isIncluded ? sum : sum + amount), 0);
  expect(lines.reduce((sum, { amount }) => sum + amount, onTop)).toBe(INVOICE.amount_due);
});
