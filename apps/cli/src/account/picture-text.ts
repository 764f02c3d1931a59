import type { Client } from "@bursar/client";
import { actionsText } from "../commands/admin.ts";
import { balanceText } from "../commands/balance.ts";
import { entriesText } from "../commands/entries.ts";
import { paymentsText } from "../commands/payments.ts";
import { quotaText } from "../commands/quota.ts";
import { subscriptionText } from "../commands/subscription.ts";
import { attemptsText } from "../commands/topup.ts";
import type { Look } from "../context.ts";
import { amount } from "../output/amount.ts";
import { printable } from "../output/printable.ts";
import { facts, indent, table } from "../output/table.ts";
import { both, clockTime } from "../output/time.ts";
import type { Picture } from "./picture.ts";

type Account = Awaited<ReturnType<Client["getAccount"]>>;
type Receipt = Picture["receipts"][number];

/** An account's whole picture, section by section. */
export function pictureText(picture: Picture, look: Look): string {
  const { paint } = look;
  const { balance, entries, receipts, payments, attempts, quota, subscription, actions } = picture;
  const page = { nextCursor: null };
  const section = (title: string, text: string) => `${paint.bold(title)}\n${indent(text)}`;
  const off = "No payments are set up here.";
  return [
    accountText(picture, look),
    section("Balance", balanceText(balance, look)),
    section("Quota", quotaText(picture.id, quota, look)),
    section(
      "Subscription",
      subscription === null ? "No subscription." : subscriptionText(subscription, look),
    ),
    section("Latest entries", entriesText({ ...page, entries }, look)),
    section("Their receipts", receiptsText(receipts, look)),
    section("Latest payments", payments === null ? off : paymentsText({ ...page, payments }, look)),
    section("Latest attempts to top up", attempts === null ? off : attemptsText(attempts, look)),
    section("Latest actions of administrators", actionsText({ ...page, actions }, look)),
    paint.dim(`More of each: bursar entries | explain | payments | topup attempts, --account ${picture.id}`),
  ].join("\n\n");
}

export function accountText(account: Account, { paint, nowMilliseconds }: Look): string {
  return facts(paint, [
    ["account", paint.bold(account.id)],
    ["name", printable(account.name)],
    ["owner", account.owner === null ? null : ownerText(account.owner)],
    ["available", amount(account.available)],
    ["held", amount(account.held)],
    ["owed", amount(account.owed)],
    ["state", account.frozen ? paint.red("frozen") : "open"],
    ["alert below", account.alertBelow === null ? null : amount(account.alertBelow)],
    ["since", both(account.createdAt, nowMilliseconds)],
  ]);
}

function ownerText({ kind, id, name, username, email }: NonNullable<Account["owner"]>): string {
  const called = [name, username, email].filter((text) => text !== null && text !== "");
  return printable(`${kind} ${id} (${[...new Set(called)].join(", ")})`);
}

function receiptsText(receipts: readonly Receipt[], { paint }: Look): string {
  return table(
    paint,
    [
      { title: "RECEIPT", of: ({ id }) => printable(id) },
      { title: "AT", of: ({ at }) => clockTime(at, "seconds") },
      {
        title: "WHAT",
        of: ({ operation, feature }) => (feature === null ? operation : `${operation} ${feature}`),
      },
      { title: "CHARGED", align: "decimal", of: ({ charged }) => amount(charged) },
      { title: "BY", of: ({ by }) => printable(by) },
      { title: "REQUEST", of: ({ requestId }) => requestId ?? "-" },
    ],
    receipts,
    "No receipts.",
  );
}
