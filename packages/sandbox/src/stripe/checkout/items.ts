import { amountIn, createPrice, priceOf } from "../catalogue/price.ts";
import { createProduct, productOf } from "../catalogue/routes.ts";
import type { WirePrice } from "../catalogue/wire-price.ts";
import { newId } from "../ids.ts";
import { checkAmount, currencyOf } from "../money.ts";
import { invalid } from "../refusal.ts";
import type { World } from "../world.ts";
import type { Creating } from "./params.ts";
import type { SessionItem } from "./plan.ts";

type Line = NonNullable<Creating["line_items"]>[number];

/** The lines of a checkout with their prices, in the currency that is asked for or that of the first.
 *  Throws a refusal: nothing to buy, prices of the wrong kind for the mode, a currency that a price does not have. */
export function itemsOf(world: World, { line_items: lines, mode, currency: asked }: Creating): SessionItem[] {
  if (lines === undefined) {
    throw invalid(`\`line_items\` is required in \`${mode}\` mode.`, "line_items", "parameter_missing");
  }
  const prices = lines.map((line, index) => priceIn(world, line, `line_items[${index}]`));
  checkMode(mode, prices);
  const currency = asked === undefined ? prices[0]!.currency : currencyOf(asked);
  const items = lines.map((line, index) => itemOf(world, prices[index]!, line.quantity ?? 1, currency));
  const total = items.reduce((sum, { amount_total: amount }) => sum + amount, 0);
  if (mode === "payment") checkAmount(total, currency, "line_items");
  return items;
}

function priceIn(world: World, line: Line, param: string): WirePrice {
  const { price, price_data: described } = line;
  if ((price === undefined) === (described === undefined)) {
    throw invalid(
      `You must pass exactly one of price and price_data.`,
      `${param}[price]`,
      "parameter_missing",
    );
  }
  if (price !== undefined) {
    const known = priceOf(world, price, `${param}[price]`);
    if (known.active) return known;
    throw invalid(
      "The price specified is inactive. This field only accepts active prices.",
      `${param}[price]`,
    );
  }
  const { product, product_data: details, ...rest } = described!;
  if ((product === undefined) === (details === undefined)) {
    const name = `${param}[price_data][product]`;
    throw invalid("You must pass exactly one of product and product_data.", name, "parameter_missing");
  }
  const owner = product === undefined ? createProduct(world, details!) : productOf(world, product);
  return createPrice(world, { ...rest, product: owner.id, active: false });
}

function checkMode(mode: Creating["mode"], prices: readonly WirePrice[]): void {
  const isRecurring = prices.some(({ type }) => type === "recurring");
  if (mode === "payment" && isRecurring) {
    throw invalid(
      "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only one-time prices.",
      "mode",
    );
  }
  if (mode === "subscription" && !isRecurring) {
    throw invalid(
      "You must provide at least one recurring price in `subscription` mode when using prices.",
      "mode",
    );
  }
}

function itemOf(world: World, price: WirePrice, quantity: number, currency: string): SessionItem {
  const amount = amountIn(world, price, currency) * quantity;
  const product = world.state.products.get(price.product as string);
  return {
    id: newId("li"),
    object: "item",
    adjustable_quantity: null,
    amount_discount: 0,
    amount_subtotal: amount,
    amount_tax: 0,
    amount_total: amount,
    currency,
    description: product?.name ?? null,
    metadata: null,
    price,
    quantity,
  };
}
