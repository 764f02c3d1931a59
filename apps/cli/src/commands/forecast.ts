import type { Client } from "@bursar/client";
import type { Command } from "commander";
import type { Context, Look } from "../context.ts";
import { amount, counted, creditsText } from "../output/amount.ts";
import { facts } from "../output/table.ts";
import { both } from "../output/time.ts";
import { examples } from "../program.ts";

type Forecast = Awaited<ReturnType<Client["getForecast"]>>;

export function forecast(command: Command, context: Context): void {
  command
    .addHelpText("after", examples("bursar forecast", "bursar forecast --account acct_demo --json"))
    .action(async () => {
      const { client, account } = await context.connect("account");
      const answer = await client.getForecast({ ...account });
      context.print(answer, (look) => forecastText(answer, look));
    });
}

const REASONS: Record<NonNullable<Forecast["reason"]>, string> = {
  too_little_data: "too early to tell: fewer than three days are known",
  no_recent_use: "nothing was used in the last 28 days",
};

export function forecastText(found: Forecast, look: Look): string {
  const { paint, nowMilliseconds } = look;
  const { estimate, reason, nextExpiry, nextReset } = found;
  const at = (next: { at: string; amount: string } | null) =>
    next === null ? null : `${creditsText(next.amount)}, ${both(next.at, nowMilliseconds)}`;
  return facts(paint, [
    ["available", amount(found.available)],
    [
      "lasts",
      paint.bold(estimate === null ? REASONS[reason ?? "too_little_data"] : lastsText(estimate, look)),
    ],
    [
      "used a day",
      estimate === null ? null : `${amount(estimate.perDay)}, by ${counted(estimate.basedOnDays, "day")}`,
    ],
    ["top-up", estimate?.topUpAt ? both(estimate.topUpAt, nowMilliseconds) : null],
    ["next expiry", at(nextExpiry)],
    ["next reset", at(nextReset)],
  ]);
}

function lastsText({ runsOutAt }: NonNullable<Forecast["estimate"]>, { nowMilliseconds }: Look): string {
  return runsOutAt === null ? "more than a year" : `until ${both(runsOutAt, nowMilliseconds)}`;
}
