import type { Client } from "@bursar/client";
import type { Command } from "commander";
import type { Context, Look } from "../context.ts";
import { amount, creditsText, isZero } from "../output/amount.ts";
import { facts, table } from "../output/table.ts";
import { both, expiry } from "../output/time.ts";
import { examples } from "../program.ts";

type Balance = Awaited<ReturnType<Client["getBalance"]>>;

export function balance(command: Command, context: Context): void {
  command
    .option("--feature <name>", "what there is for this feature: without grants kept for others")
    .addHelpText("after", examples("bursar balance", "bursar balance --account acct_demo --json"))
    .action(async ({ feature }: { feature?: string }) => {
      const { client, account } = await context.connect("account");
      const answer = await client.getBalance({ ...account, feature });
      context.print(answer, (look) => balanceText(answer, look));
    });
}

export function balanceText(balance: Balance, look: Look): string {
  return [
    headline(balance, look),
    bucketFacts(balance, look),
    grantTable(balance, look),
    nextLines(balance, look),
  ]
    .filter((part) => part !== null)
    .join("\n\n");
}

function headline({ accountId, available, owed, frozen }: Balance, { paint }: Look): string {
  const states = [
    ...(frozen ? [paint.red("frozen: nothing new is held or spent")] : []),
    ...(isZero(owed) ? [] : [paint.red("in debt: nothing new is held or spent")]),
  ];
  const title = `${paint.bold(creditsText(available))} available in ${accountId}`;
  return [title, ...states].join("\n");
}

function bucketFacts({ held, owed, net }: Balance, { paint }: Look): string | null {
  if (isZero(held) && isZero(owed)) return null;
  return facts(paint, [
    ["held by open holds", amount(held)],
    ["owed", isZero(owed) ? null : amount(owed)],
    ["net", isZero(owed) ? null : amount(net)],
  ]);
}

function grantTable({ grants }: Balance, { paint, nowMilliseconds }: Look): string {
  return table(
    paint,
    [
      { title: "GRANT", of: (grant) => grant.id },
      { title: "SOURCE", of: (grant) => grant.source },
      { title: "REMAINING", align: "decimal", of: (grant) => amount(grant.remaining) },
      { title: "PRIORITY", align: "decimal", of: (grant) => String(grant.priority) },
      { title: "EXPIRES", of: (grant) => expiry(grant.expiresAt, nowMilliseconds) },
    ],
    grants,
    "No grants.",
  );
}

function nextLines({ nextExpiry, nextReset }: Balance, { nowMilliseconds }: Look): string | null {
  const lines = [
    ...(nextExpiry === null
      ? []
      : [`Next, ${creditsText(nextExpiry.amount)} expire ${both(nextExpiry.at, nowMilliseconds)}.`]),
    ...(nextReset === null
      ? []
      : [
          `The monthly quota of ${creditsText(nextReset.amount)} comes ${both(nextReset.at, nowMilliseconds)}.`,
        ]),
  ];
  return lines.length === 0 ? null : lines.join("\n");
}
