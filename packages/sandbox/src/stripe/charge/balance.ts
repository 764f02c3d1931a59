import type { Stripe } from "stripe";
import { newId } from "../ids.ts";
import { secondsOf, type World } from "../world.ts";

const TWO_DAYS_SECONDS = 172_800;

interface Booking {
  readonly type: "adjustment" | "charge" | "payment" | "refund" | "refund_failure";
  /** What the account gains, negative for what it loses; minor units. */
  readonly amount: number;
  readonly fee: number;
  readonly currency: string;
  readonly source: string;
  readonly description: string | null;
}

/** Writes what moved the account's balance. */
export function book(
  world: World,
  { type, amount, fee, currency, source, description }: Booking,
): Stripe.BalanceTransaction {
  const created = secondsOf(world);
  const transaction = {
    id: newId("txn"),
    object: "balance_transaction",
    amount,
    available_on: created + TWO_DAYS_SECONDS,
    balance_type: "payments",
    created,
    currency,
    description,
    exchange_rate: null,
    fee,
    fee_details: fee === 0 ? [] : [feeDetail(fee, currency)],
    net: amount - fee,
    reporting_category: type === "adjustment" ? "dispute" : type === "payment" ? "charge" : type,
    source,
    status: "pending",
    type,
  } satisfies Stripe.BalanceTransaction;
  world.state.balanceTransactions.set(transaction.id, transaction);
  return transaction;
}

function feeDetail(amount: number, currency: string): Stripe.BalanceTransaction.FeeDetail {
  return { amount, application: null, currency, description: "Stripe processing fees", type: "stripe_fee" };
}

/** What the account has, by currency: usable two days after it came. */
export function balanceOf(world: World): Stripe.Balance {
  const now = secondsOf(world);
  const all = [...world.state.balanceTransactions.values()];
  const currencies = [...new Set(all.map(({ currency }) => currency))];
  const sums = (isIn: (transaction: Stripe.BalanceTransaction) => boolean) =>
    currencies.map((currency) => {
      const own = all.filter((transaction) => transaction.currency === currency && isIn(transaction));
      const amount = own.reduce((sum, { net }) => sum + net, 0);
      return { amount, currency, source_types: { card: amount } };
    });
  return {
    object: "balance",
    available: sums(({ available_on: on }) => on <= now),
    livemode: false,
    pending: sums(({ available_on: on }) => on > now),
  };
}
