import { createHash } from "node:crypto";
import type { PlanTerms } from "@bursar/engine/subscription/subscription";
import type { Stripe } from "stripe";
import { asked, ifThere, isInvalidRequest } from "../unavailable.ts";

const PREFIX = "bursar_plan_";

/** A plan is a product under an id made of its own; so every price, line and subscription says which plan it is. Plan
 *  ids may hold what a path cannot. */
export function productOf(planId: string): string {
  return PREFIX + Buffer.from(planId).toString("base64url");
}

/** null: no plan of ours. */
export function planOf(product: string | { readonly id: string } | null | undefined): string | null {
  const id = typeof product === "string" ? product : product?.id;
  return id?.startsWith(PREFIX) === true
    ? Buffer.from(id.slice(PREFIX.length), "base64url").toString()
    : null;
}

/** Makes the plan's product where there is none yet, however many do so at once. */
export async function ensureProduct(stripe: Stripe, { planId, name }: PlanTerms): Promise<string> {
  const id = productOf(planId);
  if ((await ifThere(stripe.products.retrieve(id))) !== null) return id;
  const made = stripe.products.create({ id, name }, { idempotencyKey: keyOfProduct(id, name) });
  await asked(made).catch((error: unknown) => {
    if (!isInvalidRequest(error) || error.code !== "resource_already_exists") throw error;
  });
  return id;
}

/** A plan of another name is another product to make; keys are short, names need not be. */
function keyOfProduct(id: string, name: string): string {
  return `product/${createHash("sha256").update(`${id}/${name}`).digest("hex")}`;
}

/** The plan's price, as subscriptions and pages take it. */
export function priceData(product: string, currency: string, { amount, interval }: PlanTerms) {
  return { currency, product, unit_amount: amount, recurring: { interval } };
}
