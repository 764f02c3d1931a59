import { findNumber } from "../card/cards.ts";
import { emit } from "../event/emit.ts";
import { invalid } from "../refusal.ts";
import type { World } from "../world.ts";
import { methodOf } from "./create.ts";

export interface CardChange {
  /** A number or a token; the card keeps its own last digits. */
  readonly behavesAs?: string | undefined;
  readonly expires?: { readonly month: number; readonly year: number } | undefined;
}

/** What happens to a saved card outside of Stripe: its issuer changes its mind, or its date.
 *  Throws a refusal: no such payment method or number. */
export function changeCard(world: World, methodId: string, { behavesAs, expires }: CardChange): void {
  const method = methodOf(world, methodId, "id");
  if (behavesAs !== undefined) {
    const number = findNumber(behavesAs);
    if (number === null) throw invalid(`No such test number or token: '${behavesAs}'`, "behavesAs");
    world.state.numbers.set(method.id, number.number);
  }
  if (expires === undefined || method.card === undefined) return;
  const { exp_month, exp_year } = method.card;
  Object.assign(method.card, { exp_month: expires.month, exp_year: expires.year });
  emit(world, "payment_method.automatically_updated", method, { card: { exp_month, exp_year } });
}
