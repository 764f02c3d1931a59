import type { Receipt } from "@bursar/contract/operations/history";
import type { Look } from "../context.ts";
import { amount, creditsText, isZero } from "../output/amount.ts";
import { printable } from "../output/printable.ts";
import { facts, indent, table } from "../output/table.ts";
import { both } from "../output/time.ts";
import { arithmeticOf } from "./arithmetic.ts";
import { reasonOf } from "./reason.ts";

/** The account's buckets before the first entry of a receipt. */
export type Before = Pick<Receipt["entries"][number], "availableAfter" | "heldAfter" | "owedAfter">;

/** A receipt as a story: what was asked, how it was decided and why, at which price, who paid, and what it did to the
 *  balance. */
export function storyOf(receipt: Receipt, before: Before | null, look: Look): string {
  const { paint } = look;
  const section = (title: string, text: string | null) =>
    text === null ? [] : [`${paint.bold(title)}\n${indent(text)}`];
  return [
    headline(receipt, look),
    ...section("Asked", askedText(receipt, look)),
    ...section("Price", arithmeticOf(receipt, look)),
    ...section("Paid by", payersText(receipt, look)),
    ...section("Balance", balanceText(receipt, before)),
    ...section("Ledger", ledgerText(receipt, look)),
  ].join("\n\n");
}

function headline(receipt: Receipt, { paint }: Look): string {
  const asked =
    receipt.amount === null ? receipt.operation : `${receipt.operation} of ${creditsText(receipt.amount)}`;
  if (receipt.decision === "deny") return `${paint.red("Denied")}: ${asked}, because ${reasonOf(receipt)}.`;
  return `${paint.green("Allowed")}: ${asked}${outcomeOf(receipt)}.`;
}

/** What became of a hold; everything else is its own outcome. */
function outcomeOf({ operation, charged, entries }: Receipt): string {
  if (operation !== "hold") return "";
  const kinds = new Set(entries.map((entry) => entry.kind));
  if (kinds.has("settle") || kinds.has("overrun")) return `, settled at ${creditsText(charged)}`;
  return kinds.has("release") ? ", released in full" : ", still open";
}

function askedText(receipt: Receipt, { paint, nowMilliseconds }: Look): string {
  const { requestId, feature, metadata, policy } = receipt;
  return facts(paint, [
    ["when", both(receipt.at, nowMilliseconds)],
    ["by", receipt.by],
    ["why", noteOf(receipt)],
    ["account", receipt.accountId],
    ["request", requestId],
    [receipt.operation, receipt.id],
    ["feature", feature],
    ["metadata", metadata === null ? null : JSON.stringify(metadata)],
    ["policy", Object.keys(policy).length === 0 ? null : JSON.stringify(policy)],
  ]);
}

/** Receipts of older servers have none. */
function noteOf({ note }: Partial<Receipt>): string | null {
  return note === undefined || note === null ? null : printable(note);
}

interface Payer {
  readonly name: string;
  readonly source: string;
  readonly credits: string;
}

/** The grants that were drawn, and what none of them covered. */
function payersOf({ draws, entries }: Receipt): Payer[] {
  const debts = entries.filter((entry) => entry.kind === "overrun");
  return [
    ...draws.map((draw) => ({ name: draw.grantId, source: draw.source || "-", credits: draw.amount })),
    ...debts.map((entry) => ({ name: "nobody yet", source: "debt", credits: entry.amount })),
  ];
}

function payersText(receipt: Receipt, { paint }: Look): string | null {
  const payers = payersOf(receipt);
  if (payers.length === 0) return null;
  return table(
    paint,
    [
      { title: "GRANT", of: (payer) => payer.name },
      { title: "SOURCE", of: (payer) => payer.source },
      { title: "AMOUNT", align: "decimal", of: (payer) => amount(payer.credits) },
    ],
    payers,
    "",
  );
}

function balanceText({ entries }: Receipt, before: Before | null): string | null {
  const last = entries.at(-1);
  if (last === undefined) return null;
  return [
    `available ${change(before?.availableAfter, last.availableAfter)}`,
    ...unlessZero("held     ", before?.heldAfter, last.heldAfter),
    ...unlessZero("owed     ", before?.owedAfter, last.owedAfter),
  ].join("\n");
}

function change(from: string | undefined, to: string): string {
  return from === undefined ? amount(to) : `${amount(from)} → ${amount(to)}`;
}

function unlessZero(name: string, from: string | undefined, to: string): string[] {
  return isZero(to) && isZero(from ?? "0") ? [] : [`${name} ${change(from, to)}`];
}

function ledgerText({ entries }: Receipt, { paint }: Look): string | null {
  if (entries.length === 0) return "A refusal writes no entry: the account is as it was.";
  const lines = table(
    paint,
    [
      { title: "SEQ", align: "decimal", of: (entry) => String(entry.seq) },
      { title: "KIND", of: (entry) => entry.kind },
      { title: "AMOUNT", align: "decimal", of: (entry) => amount(entry.amount) },
      { title: "AVAILABLE", align: "decimal", of: (entry) => amount(entry.availableAfter) },
      { title: "HELD", align: "decimal", of: (entry) => amount(entry.heldAfter) },
      { title: "HASH", of: (entry) => paint.dim(entry.hash.slice(0, 16)) },
    ],
    entries,
    "",
  );
  return `${lines}\n${paint.dim(`chained to ${entries.at(-1)?.hash}`)}`;
}
