import { invoiceRoutes } from "./billing/invoices.ts";
import { subscriptionRoutes } from "./billing/routes.ts";
import { catalogueRoutes } from "./catalogue/routes.ts";
import { chargeRoutes } from "./charge/routes.ts";
import { checkoutRoutes } from "./checkout/routes.ts";
import { customerRoutes } from "./customer/routes.ts";
import { disputeRoutes } from "./dispute/routes.ts";
import { endpointRoutes } from "./event/endpoints.ts";
import { eventRoutes } from "./event/routes.ts";
import { intentRoutes } from "./intent/routes.ts";
import { methodRoutes } from "./method/routes.ts";
import { refundRoutes } from "./refund/routes.ts";
import { setupRoutes } from "./setup/routes.ts";
import type { Includable } from "./wire/expand.ts";
import type { Route } from "./wire/route.ts";

/** Everything that the API answers. */
export const ROUTES: readonly Route[] = [
  ...customerRoutes,
  ...methodRoutes,
  ...intentRoutes,
  ...setupRoutes,
  ...chargeRoutes,
  ...refundRoutes,
  ...disputeRoutes,
  ...catalogueRoutes,
  ...checkoutRoutes,
  ...subscriptionRoutes,
  ...invoiceRoutes,
  ...eventRoutes,
  ...endpointRoutes,
];

/** What objects leave out unless `expand` names it. */
export const INCLUDABLE: Includable = {
  charge: {
    refunds: (state, { id }) => {
      const refunds = [...state.refunds.values()].filter(({ charge }) => charge === id);
      return listed(refunds.toReversed(), `/v1/charges/${String(id)}/refunds`);
    },
  },
  "checkout.session": {
    line_items: (state, { id }) =>
      listed(
        state.sessionPlans.get(String(id))?.items ?? [],
        `/v1/checkout/sessions/${String(id)}/line_items`,
      ),
  },
  customer: {
    subscriptions: (state, { id }) => {
      const running = [...state.subscriptions.values()].filter(({ customer, status }) => {
        return customer === id && status !== "canceled";
      });
      return listed(running.toReversed(), `/v1/customers/${String(id)}/subscriptions`);
    },
  },
  invoice: {
    payments: (state, { id }) => {
      const payments = [...state.invoicePayments.values()].filter(({ invoice }) => invoice === id);
      return listed(payments, "/v1/invoice_payments");
    },
    confirmation_secret: (state, { id }) => {
      const payment = [...state.invoicePayments.values()].find(({ invoice }) => invoice === id);
      const intent = state.paymentIntents.get(payment?.payment.payment_intent as string);
      return intent === undefined ? null : { client_secret: intent.client_secret, type: "payment_intent" };
    },
  },
  price: {
    currency_options: (state, { id }) => {
      const options = Object.entries(state.currencyOptions.get(String(id)) ?? {});
      return Object.fromEntries(options.map(([currency, amount]) => [currency, optionOf(amount)]));
    },
  },
};

function listed(data: readonly object[], url: string) {
  return { object: "list", data, has_more: false, url };
}

function optionOf(amount: number) {
  return {
    custom_unit_amount: null,
    tax_behavior: "unspecified",
    unit_amount: amount,
    unit_amount_decimal: String(amount),
  };
}
