import type { Stripe } from "stripe";
import { z } from "zod";
import { changedFrom } from "../customer/customer.ts";
import { emit } from "../event/emit.ts";
import { newId } from "../ids.ts";
import { withMetadata } from "../metadata.ts";
import { currencyOf } from "../money.ts";
import { invalid, missing } from "../refusal.ts";
import { isWithin, listOf } from "../wire/list.ts";
import { nothing, route } from "../wire/route.ts";
import { flag, listing, metadata, oneOf, range, removable, text } from "../wire/shapes.ts";
import { secondsOf, type World } from "../world.ts";
import { createPrice, currencyOptions, describing, priceOf } from "./price.ts";
import type { WirePrice } from "./wire-price.ts";

export interface NewProduct {
  readonly id?: string | undefined;
  readonly name: string;
  readonly description?: string | null | undefined;
  readonly active?: boolean | undefined;
  readonly metadata?: Record<string, string> | null | undefined;
}

/** A new product. Nothing is told yet. Throws a refusal: the id is taken. */
export function createProduct(world: World, asked: NewProduct): Stripe.Product {
  const id = asked.id ?? newId("prod", 14);
  if (world.state.products.has(id)) {
    throw invalid(`Product already exists: ${id}`, "id", "resource_already_exists");
  }
  const product = {
    id,
    object: "product",
    active: asked.active ?? true,
    created: secondsOf(world),
    default_price: null,
    description: asked.description ?? null,
    images: [],
    livemode: false,
    marketing_features: [],
    metadata: withMetadata({}, asked.metadata),
    name: asked.name,
    package_dimensions: null,
    shippable: null,
    statement_descriptor: null,
    tax_code: null,
    tax_details: null,
    type: "service",
    unit_label: null,
    updated: secondsOf(world),
    url: null,
  } satisfies Stripe.Product;
  world.state.products.set(id, product);
  return product;
}

/** Throws a refusal: there is no such product. */
export function productOf({ state }: World, id: string, param = "product"): Stripe.Product {
  const product = state.products.get(id);
  if (product === undefined) throw missing("product", id, param);
  return product;
}

const creatingPrice = z.strictObject({
  ...describing,
  product: text.optional(),
  product_data: z.strictObject({ name: text, metadata: metadata.optional() }).optional(),
  currency_options: currencyOptions.optional(),
  active: flag.optional(),
  nickname: removable.optional(),
  lookup_key: text.optional(),
  transfer_lookup_key: flag.optional(),
  metadata: metadata.optional(),
});

function makePrice(world: World, params: z.output<typeof creatingPrice>): WirePrice {
  const { product, product_data: described, currency_options: options = {} } = params;
  if ((product === undefined) === (described === undefined)) {
    throw invalid("You must pass exactly one of product and product_data.", "product", "parameter_missing");
  }
  const currencies = Object.entries(options).map(
    ([currency, { unit_amount: amount }]) => [currencyOf(currency, "currency_options"), amount] as const,
  );
  freeLookupKey(world, params.lookup_key, params.transfer_lookup_key === true);
  const known = product === undefined ? createProduct(world, described!) : productOf(world, product);
  const price = createPrice(world, {
    currency: params.currency,
    unit_amount: params.unit_amount,
    recurring: params.recurring,
    tax_behavior: params.tax_behavior,
    product: known.id,
    active: params.active ?? true,
    nickname: params.nickname ?? null,
    lookupKey: params.lookup_key ?? null,
    metadata: withMetadata({}, params.metadata),
  });
  world.state.currencyOptions.set(price.id, Object.fromEntries(currencies));
  emit(world, "price.created", price);
  return price;
}

/** A lookup key names one price; another gives it up only when that is asked for. */
function freeLookupKey({ state }: World, key: string | undefined, mayTransfer: boolean): void {
  const owner = [...state.prices.values()].find((price) => key !== undefined && price.lookup_key === key);
  if (owner === undefined) return;
  if (mayTransfer) owner.lookup_key = null;
  else throw invalid(`A price (${owner.id}) already uses that lookup key.`, "lookup_key");
}

export const catalogueRoutes = [
  route(
    "POST",
    "/v1/products",
    z.strictObject({
      id: text.optional(),
      name: text,
      description: removable.optional(),
      active: flag.optional(),
      metadata: metadata.optional(),
    }),
    (world, { params }) => {
      const product = createProduct(world, params);
      emit(world, "product.created", product);
      return product;
    },
  ),
  route("GET", "/v1/products/:id", nothing, (world, { id }) => productOf(world, id, "id")),
  route(
    "POST",
    "/v1/products/:id",
    z.strictObject({
      name: text.optional(),
      description: removable.optional(),
      active: flag.optional(),
      default_price: text.optional(),
      metadata: metadata.optional(),
    }),
    (world, { id, params }) => {
      const product = productOf(world, id, "id");
      const before = structuredClone(product);
      if (params.default_price !== undefined) product.default_price = priceOf(world, params.default_price).id;
      if (params.description !== undefined) product.description = params.description;
      product.name = params.name ?? product.name;
      product.active = params.active ?? product.active;
      product.metadata = withMetadata(product.metadata, params.metadata);
      product.updated = secondsOf(world);
      emit(world, "product.updated", product, changedFrom(before, product));
      return product;
    },
  ),
  route(
    "GET",
    "/v1/products",
    z.strictObject({
      ...listing,
      active: flag.optional(),
      created: range.optional(),
      ids: z.array(text).optional(),
    }),
    ({ state }, { params, path }) => {
      const found = [...state.products.values()].filter(({ id, active, created }) => {
        const isWanted = (params.active ?? active) === active && (params.ids?.includes(id) ?? true);
        return isWanted && isWithin(created, params.created);
      });
      return listOf(found, params, path);
    },
  ),
  route("POST", "/v1/prices", creatingPrice, (world, { params }) => makePrice(world, params)),
  route("GET", "/v1/prices/:id", nothing, (world, { id }) => priceOf(world, id, "id")),
  route(
    "POST",
    "/v1/prices/:id",
    z.strictObject({
      active: flag.optional(),
      nickname: removable.optional(),
      lookup_key: text.optional(),
      transfer_lookup_key: flag.optional(),
      metadata: metadata.optional(),
    }),
    (world, { id, params }) => {
      const price = priceOf(world, id, "id");
      const before = structuredClone(price);
      if (params.lookup_key !== price.lookup_key)
        freeLookupKey(world, params.lookup_key, params.transfer_lookup_key === true);
      price.lookup_key = params.lookup_key ?? price.lookup_key;
      price.active = params.active ?? price.active;
      if (params.nickname !== undefined) price.nickname = params.nickname;
      price.metadata = withMetadata(price.metadata, params.metadata);
      emit(world, "price.updated", price, changedFrom(before, price));
      return price;
    },
  ),
  route(
    "GET",
    "/v1/prices",
    z.strictObject({
      ...listing,
      active: flag.optional(),
      currency: text.optional(),
      product: text.optional(),
      lookup_keys: z.array(text).max(10).optional(),
      type: oneOf("one_time", "recurring").optional(),
    }),
    ({ state }, { params, path }) => {
      const found = [...state.prices.values()].filter((price) => {
        const { active, currency, product, type, lookup_keys: keys } = params;
        if ((active ?? price.active) !== price.active || (type ?? price.type) !== price.type) return false;
        if ((currency ?? price.currency) !== price.currency || (product ?? price.product) !== price.product)
          return false;
        return keys === undefined || (price.lookup_key !== null && keys.includes(price.lookup_key));
      });
      return listOf(found, params, path);
    },
  ),
];
