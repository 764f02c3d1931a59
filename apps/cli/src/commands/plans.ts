import type { Client } from "@bursar/client";
import { formatMoney } from "@bursar/contract/fiat";
import type { Command } from "commander";
import type { Context, Look } from "../context.ts";
import { amount } from "../output/amount.ts";
import { table } from "../output/table.ts";
import { examples } from "../program.ts";

type Plan = Awaited<ReturnType<Client["listPlans"]>>["plans"][number];

export function plans(command: Command, context: Context): void {
  command.addHelpText("after", examples("bursar plans", "bursar plans --json")).action(async () => {
    const { client, account } = await context.connect("account");
    const answer = await client.listPlans({ ...account });
    context.print(answer, (look) => plansText(answer.plans, look));
  });
}

export function plansText(found: readonly Plan[], { paint }: Look): string {
  return table(
    paint,
    [
      { title: "PLAN", of: (plan) => plan.id },
      { title: "NAME", of: (plan) => plan.name },
      { title: "CREDITS A MONTH", align: "decimal", of: (plan) => amount(plan.credits) },
      { title: "BONUS", align: "decimal", of: (plan) => amount(plan.bonus) },
      { title: "PAID BY THE", of: (plan) => plan.interval },
      { title: "PRICE", of: pricesText },
    ],
    found,
    "No plans.",
  );
}

function pricesText({ prices }: Plan): string {
  const { eur, usd, jpy } = prices;
  const texts = [
    ...(eur === undefined ? [] : [formatMoney(eur, "eur")]),
    ...(usd === undefined ? [] : [formatMoney(usd, "usd")]),
    ...(jpy === undefined ? [] : [formatMoney(jpy, "jpy")]),
  ];
  return texts.join(", ");
}
