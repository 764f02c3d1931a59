import { chargeOf } from "../charge/charge.ts";
import { idOf } from "../ids.ts";
import { methodOf } from "../method/create.ts";
import type { World } from "../world.ts";
import { fail, succeed } from "./attempt.ts";
import { intentOf } from "./intent.ts";

/** Tells the outcome of every payment under way whose time has come. Returns how many there were. */
export function settleOutcomes(world: World): number {
  const { outcomes } = world.state;
  const due = [...outcomes].filter(([, { dueAt }]) => dueAt <= world.now());
  for (const [intentId, { decline }] of due) {
    outcomes.delete(intentId);
    const intent = intentOf(world, intentId);
    const charge = chargeOf(world, idOf(intent.latest_charge!));
    const method = methodOf(world, idOf(intent.payment_method!));
    if (decline === null) succeed(world, intent, method, charge, false);
    else fail(world, intent, method, charge, decline);
  }
  return due.length;
}
