import type { Command } from "commander";
import type { Context } from "../context.ts";
import { usageFailure } from "../failure.ts";
import { examples } from "../program.ts";
import { stripeApi } from "../stripe/api.ts";
import { TRIGGERS } from "../stripe/triggers.ts";

export function trigger(command: Command, context: Context): void {
  command
    .argument("<event>", `one of ${Object.keys(TRIGGERS).join(", ")}`)
    .addHelpText(
      "after",
      examples("bursar trigger payment_intent.succeeded", "bursar trigger charge.refunded"),
    )
    .action(async (event: string) => {
      const known = Object.hasOwn(TRIGGERS, event) ? TRIGGERS[event] : undefined;
      if (known === undefined)
        throw usageFailure(`It cannot make ${event} happen.`, `It can: ${Object.keys(TRIGGERS).join(", ")}.`);
      const stripe = stripeApi(context);
      const id = await known.happen(stripe);
      const isLater = known.isLater === true;
      context.print({ event, id, isLater, stripe: stripe.url }, () =>
        isLater
          ? `${event} comes to ${id} at ${stripe.url} within minutes of its clock: bursar clock advance 5m`
          : `${event} happened to ${id} at ${stripe.url}.`,
      );
    });
}
