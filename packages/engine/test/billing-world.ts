/** A provider that charges by the month or the year, in memory and by a clock that the test moves: what the engine sees
 *  of the world outside. It keeps the rules that real ones have: idempotency keys, renewals, tries, proration. */
import { addMonths } from "@bursar/contract/calendar";
import type { AccountId } from "@bursar/contract/ids";
import { addSeconds, type Instant } from "@bursar/contract/instant";
import { PaymentsUnavailable } from "../src/payment/payments.ts";
import type { Prices } from "../src/price/prices.ts";
import type { SubscriptionProvider } from "../src/subscription/deps.ts";
import {
  type ChangeRequest,
  type InvoiceRecord,
  type StartRequest,
  type SubscriptionPayments,
  type SubscriptionRecord,
} from "../src/subscription/payments.ts";
import type { PlanTerms } from "../src/subscription/subscription.ts";

const TRIES = 3;
const TRY_AGAIN_SECONDS = 2 * 86_400;

/** Every world has ids of its own, as providers do. */
let made = 0;

interface Sub {
  readonly start: StartRequest;
  readonly providerId: string;
  readonly anchor: Instant;
  status: SubscriptionRecord["status"];
  terms: PlanTerms;
  period: number;
  cancelAtPeriodEnd: boolean;
}

type Invoice = { -readonly [Key in keyof InvoiceRecord]: InvoiceRecord[Key] } & { nextTryAt: Instant | null };

export type BillingEvent = { readonly kind: "subscription" | "invoice"; readonly id: string };

/** A price book that stays as it is. */
export function pricesOf(body: Awaited<ReturnType<Prices["current"]>>["body"]): Prices {
  return {
    current: () => Promise.resolve({ version: 1, body }),
    versions: () => Promise.resolve([]),
    put: () => Promise.reject(new Error("not here")),
  };
}

export type BillingWorld = ReturnType<typeof openBillingWorld>;

export function openBillingWorld(clock: { now(): Instant }) {
  const subs = new Map<string, Sub>();
  const invoices = new Map<string, Invoice>();
  const pages = new Map<
    string,
    { request: StartRequest; status: "open" | "complete" | "expired"; providerId: string | null }
  >();
  const done = new Map<string, unknown>();
  const brokeAccounts = new Set<AccountId>();
  const noMethod = new Set<AccountId>();
  let events: BillingEvent[] = [];
  let fault: "before" | "after" | null = null;

  const tell = (kind: BillingEvent["kind"], id: string) => events.push({ kind, id });
  const boundary = (sub: Sub, period: number) =>
    addMonths(sub.anchor, period * (sub.terms.interval === "year" ? 12 : 1));
  const recordOf = (sub: Sub): SubscriptionRecord => ({
    providerId: sub.providerId,
    subscriptionId: sub.start.subscriptionId,
    accountId: sub.start.accountId,
    status: sub.status,
    planId: sub.terms.planId,
    currency: sub.start.currency,
    periodStart: boundary(sub, sub.period),
    periodEnd: boundary(sub, sub.period + 1),
    cancelAtPeriodEnd: sub.cancelAtPeriodEnd,
    methodId: null,
  });
  const get = (providerId: string) => {
    const sub = subs.get(providerId);
    if (sub === undefined) throw new Error(`no subscription ${providerId}`);
    return sub;
  };

  /** Does it once under the key, or fails before or after, as a network does. */
  const once = async <T>(key: string, work: () => T): Promise<T> => {
    const failing = fault;
    fault = null;
    if (failing === "before") throw new PaymentsUnavailable("no answer");
    if (!done.has(key)) done.set(key, work());
    if (failing === "after") throw new PaymentsUnavailable("no answer");
    return done.get(key) as T;
  };

  const charge = (sub: Sub, reason: InvoiceRecord["reason"], amountDue: number): Invoice => {
    const id = `in_${invoices.size + 1}`;
    const isPaid = !brokeAccounts.has(sub.start.accountId);
    const { providerId, planId, periodStart, periodEnd } = recordOf(sub);
    const invoice: Invoice = {
      id,
      providerId,
      planId,
      status: isPaid ? "paid" : "open",
      reason,
      number: `B-${invoices.size + 1}`,
      amountDue,
      amountPaid: isPaid ? amountDue : 0,
      reversals: [],
      content: {
        lines: [{ text: `${sub.terms.name}, ${reason}`, quantity: 1, amount: amountDue }],
        taxes: [],
      },
      paidAt: isPaid ? clock.now() : null,
      paidWith: isPaid ? "visa •••• 4242" : null,
      currency: sub.start.currency,
      periodStart: reason === "update" ? clock.now() : periodStart,
      periodEnd,
      attempts: 1,
      url: `https://pay.example/${id}`,
      pdfUrl: null,
      createdAt: clock.now(),
      nextTryAt: isPaid ? null : addSeconds(clock.now(), TRY_AGAIN_SECONDS),
    };
    invoices.set(id, invoice);
    tell("invoice", id);
    tell("invoice", id);
    return invoice;
  };
  const begin = (request: StartRequest): Sub => {
    const sub: Sub = {
      start: request,
      providerId: `sub_${++made}`,
      anchor: clock.now(),
      status: "active",
      terms: request.terms,
      period: 0,
      cancelAtPeriodEnd: false,
    };
    subs.set(sub.providerId, sub);
    tell("subscription", sub.providerId);
    charge(sub, "create", request.terms.amount);
    return sub;
  };
  const difference = ({ providerId, terms }: ChangeRequest) => {
    const sub = get(providerId);
    const [start, end] = [boundary(sub, sub.period), boundary(sub, sub.period + 1)];
    return Math.round(((terms.amount - sub.terms.amount) * (end - clock.now())) / (end - start));
  };
  const renew = (sub: Sub) => {
    while (sub.status === "active" && boundary(sub, sub.period + 1) <= clock.now()) {
      if (sub.cancelAtPeriodEnd) {
        sub.status = "canceled";
        break;
      }
      sub.period++;
      if (charge(sub, "cycle", sub.terms.amount).status !== "paid") sub.status = "past_due";
      tell("subscription", sub.providerId);
    }
    if (sub.status === "canceled") tell("subscription", sub.providerId);
  };
  const tryAgain = (invoice: Invoice) => {
    const sub = get(invoice.providerId!);
    if (invoice.nextTryAt === null || invoice.nextTryAt > clock.now() || sub.status === "canceled") return;
    invoice.attempts++;
    if (brokeAccounts.has(sub.start.accountId)) {
      invoice.nextTryAt = invoice.attempts < TRIES ? addSeconds(clock.now(), TRY_AGAIN_SECONDS) : null;
    } else
      Object.assign(invoice, {
        status: "paid",
        amountPaid: invoice.amountDue,
        paidAt: clock.now(),
        nextTryAt: null,
      });
    if (invoice.status === "paid") sub.status = "active";
    tell("invoice", invoice.id);
    tell("subscription", sub.providerId);
  };

  const reverse = (invoiceId: string, amount: number, kind: "refund" | "dispute"): string => {
    const invoice = invoices.get(invoiceId)!;
    const id = `${kind}_${++made}`;
    const state = kind === "refund" ? "taken" : "open";
    invoice.reversals = [...invoice.reversals!, { id, kind, state, amount }];
    tell("invoice", invoiceId);
    return id;
  };

  const payments: SubscriptionPayments = {
    subscribe: ({ methodId, ...request }) =>
      once(`start ${request.subscriptionId} ${methodId}`, () => {
        if (methodId === "pm_bank_asks") return { kind: "needs_page" } as const;
        if (!brokeAccounts.has(request.accountId))
          return { kind: "started", record: recordOf(begin(request)) } as const;
        return { kind: "refused", code: "card_declined", message: "The card was declined" } as const;
      }),
    openPage: (request) =>
      once(`page ${request.subscriptionId}`, () => {
        const pageId = `page_${pages.size + 1}`;
        pages.set(pageId, { request, status: "open", providerId: null });
        return { pageId, status: "open", url: `https://pay.example/${pageId}`, providerId: null } as const;
      }),
    page: async (pageId) => {
      const page = pages.get(pageId);
      if (page === undefined) return null;
      const { status, providerId } = page;
      return { pageId, status, providerId, url: status === "open" ? `https://pay.example/${pageId}` : null };
    },
    closePage: async (pageId) => {
      const page = pages.get(pageId);
      if (page?.status === "open") page.status = "expired";
    },
    subscription: async (providerId) => {
      const sub = subs.get(providerId);
      return sub === undefined ? null : recordOf(sub);
    },
    preview: async (request) => difference(request),
    change: (request) =>
      once(`change ${request.changeId}`, () => {
        const sub = get(request.providerId);
        if (request.charges && brokeAccounts.has(sub.start.accountId))
          return { kind: "refused", code: "card_declined", message: "The card was declined" } as const;
        const due = difference(request);
        sub.terms = request.terms;
        if (request.charges) charge(sub, "update", due);
        tell("subscription", sub.providerId);
        return { kind: "changed", record: recordOf(sub) } as const;
      }),
    setCancelAtPeriodEnd: async (providerId, isCanceled) => {
      const sub = get(providerId);
      if (sub.status === "canceled") return;
      sub.cancelAtPeriodEnd = isCanceled;
      tell("subscription", providerId);
    },
    end: async (providerId) => {
      const sub = get(providerId);
      sub.status = "canceled";
      tell("subscription", providerId);
      return recordOf(sub);
    },
    followDefault: async () => undefined,
    methodChangeOf: () => null,
    invoice: async (id) => invoices.get(id) ?? null,
    invoices: async (providerId) =>
      [...invoices.values()]
        .filter((invoice) => invoice.providerId === providerId)
        .map((invoice) => ({ ...invoice, reversals: null, paidWith: null }))
        .toReversed(),
    subjectOf: () => null,
    invoiceOfPayment: async () => null,
  };
  const provider: SubscriptionProvider = {
    payments,
    payer: {
      customerOf: async (accountId) => `cus_${accountId}`,
      methodOf: async (accountId) => (noMethod.has(accountId) ? null : "pm_card"),
    },
  };

  return {
    provider,
    /** Renewals and tries that are due by the clock. */
    tick: () => {
      for (const invoice of [...invoices.values()]) tryAgain(invoice);
      for (const sub of subs.values()) renew(sub);
    },
    /** What the provider would tell, and has not told yet. */
    takeEvents: () => {
      const taken = events;
      events = [];
      return taken;
    },
    failNext: (when: "before" | "after") => {
      fault = when;
    },
    /** Pays so much of an invoice back. Returns the refund's id. */
    payBack: (invoiceId: string, amount: number) => reverse(invoiceId, amount, "refund"),
    /** Its payer disputes so much of an invoice. Returns the dispute's id. */
    dispute: (invoiceId: string, amount: number) => reverse(invoiceId, amount, "dispute"),
    /** The bank decides a dispute, takes it up again, or sends a refund back. */
    decide: (invoiceId: string, reversalId: string, state: "open" | "taken" | "returned") => {
      const invoice = invoices.get(invoiceId)!;
      invoice.reversals = invoice.reversals!.map((known) =>
        known.id === reversalId ? { ...known, state } : known,
      );
      tell("invoice", invoiceId);
    },
    /** Whether the account's card is declined. */
    setBroke: (accountId: AccountId, isBroke: boolean) =>
      isBroke ? brokeAccounts.add(accountId) : brokeAccounts.delete(accountId),
    forgetMethods: (accountId: AccountId) => noMethod.add(accountId),
    payPage: (pageId: string) => {
      const page = pages.get(pageId)!;
      page.status = "complete";
      page.providerId = begin(page.request).providerId;
    },
    subscriptionCount: () => subs.size,
    invoiceCount: () => invoices.size,
  };
}
