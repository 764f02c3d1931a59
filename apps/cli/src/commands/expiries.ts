import type { Client } from "@bursar/client";
import type { Command } from "commander";
import type { Context, Look } from "../context.ts";
import { amount, creditsText } from "../output/amount.ts";
import { table } from "../output/table.ts";
import { both } from "../output/time.ts";
import { examples } from "../program.ts";

type Expiries = Awaited<ReturnType<Client["listExpiries"]>>;

export function expiries(command: Command, context: Context): void {
  command
    .addHelpText("after", examples("bursar expiries", "bursar expiries --account acct_demo --json"))
    .action(async () => {
      const { client, account } = await context.connect("account");
      const answer = await client.listExpiries({ ...account });
      context.print(answer, (look) => expiriesText(answer, look));
    });
}

export function expiriesText({ expiries: found, lasting }: Expiries, look: Look): string {
  const { paint, nowMilliseconds } = look;
  const lines = table(
    paint,
    [
      { title: "EXPIRES", of: (expiry) => both(expiry.at, nowMilliseconds) },
      { title: "CREDITS", align: "decimal", of: (expiry) => amount(expiry.amount) },
      { title: "IN ALL BY THEN", align: "decimal", of: (expiry) => amount(expiry.cumulative) },
      { title: "SOURCE", of: (expiry) => expiry.source },
      { title: "GRANT", of: (expiry) => expiry.grantId },
    ],
    found,
    "Nothing expires.",
  );
  return `${lines}\n\n${creditsText(lasting)} never expire.`;
}
