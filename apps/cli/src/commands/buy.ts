import type { Client } from "@bursar/client";
import { CURRENCIES, type Currency, formatMoney } from "@bursar/contract/fiat";
import { type Command, Option } from "commander";
import type { Context, Look } from "../context.ts";
import { usageFailure } from "../failure.ts";
import { amount, creditsText } from "../output/amount.ts";
import { table } from "../output/table.ts";
import { examples } from "../program.ts";
import { question } from "../question.ts";

type Packs = Awaited<ReturnType<Client["listPacks"]>>;
type Payment = Awaited<ReturnType<Client["createPurchase"]>>;

interface Options {
  readonly currency: Currency;
  readonly method?: string;
  readonly id?: string;
  readonly yes?: boolean;
}

export function buy(command: Command, context: Context): void {
  command
    .argument("[what]", "a pack such as credits-10000, or an amount such as 5000; without it, the price list")
    .addOption(new Option("--currency <currency>", "to pay in").choices(CURRENCIES).default("eur"))
    .option("--method <method>", "a saved payment method's id, default, or checkout for a page to pay on")
    .option("--id <id>", "your id for the purchase: the same id is charged once")
    .option("--yes", "do not ask")
    .addHelpText(
      "after",
      examples("bursar buy", "bursar buy credits-10000", "bursar buy 2500 --currency jpy --yes --json"),
    )
    .action((what: string | undefined, options: Options) => perform(context, what, options));
}

async function perform(context: Context, what: string | undefined, options: Options): Promise<void> {
  const { client, account } = await context.connect("account");
  const isAmount = what !== undefined && /^\d/.test(what);
  const packs = await client.listPacks({ ...account, ...(isAmount ? { credits: what } : {}) });
  if (what === undefined) {
    context.print(packs, (look) => packsText(packs, look));
    return;
  }
  const { currency, method: paymentMethod, id, yes } = options;
  const price = priceOf(packs, what, isAmount, currency);
  if (yes !== true && !(await confirmed(context, price))) return;
  const chosen = isAmount ? { credits: what } : { pack: what };
  const payment = await client.createPurchase({ ...account, ...chosen, currency, paymentMethod, id });
  context.print(payment, (look) => boughtText(payment, look));
}

interface Price {
  readonly credits: string;
  readonly money: string;
}

function priceOf(packs: Packs, what: string, isAmount: boolean, currency: Currency): Price {
  const sold = [...packs.tiers, ...packs.packs];
  const pack = isAmount ? packs.quote : sold.find(({ id }) => id === what);
  const price = pack?.prices[currency];
  if (pack === undefined || pack === null)
    throw usageFailure(`There is no pack ${what}: ${sold.map(({ id }) => id).join(", ")}.`);
  if (price === undefined) throw usageFailure(`${what} is not sold in ${currency}.`);
  return { credits: pack.credits, money: formatMoney(price, currency) };
}

/** The price and the expiry are shown before anything is paid. Where nobody can be asked, --yes must say it. */
async function confirmed(context: Context, { credits, money }: Price): Promise<boolean> {
  if (context.isJson() || !process.stdin.isTTY)
    throw usageFailure(
      `${creditsText(credits)} for ${money}, and they never expire: give --yes to buy them.`,
    );
  const answer = await question(`Buy ${creditsText(credits)} for ${money}? They never expire. [y/N] `);
  return /^y(es)?$/i.test(answer.trim());
}

export function packsText({ tiers, packs, minimum, maximum }: Packs, { paint }: Look): string {
  const money = (of: Currency) => (row: Packs["tiers"][number]) => {
    const price = row.prices[of];
    return price === undefined ? "" : formatMoney(price, of);
  };
  const list = table(
    paint,
    [
      { title: "PACK", of: ({ id, recommended }) => (recommended ? `${paint.bold(id)} *` : id) },
      { title: "CREDITS", align: "decimal", of: ({ credits }) => amount(credits) },
      ...CURRENCIES.map((of) => ({ title: of.toUpperCase(), of: money(of) })),
    ],
    [...tiers, ...packs],
    "Nothing is sold here.",
  );
  return `${list}\n\n* recommended. Or any amount from ${amount(minimum)} to ${amount(maximum)}. Bought credits never expire.`;
}

export function boughtText(payment: Payment, { paint }: Look): string {
  const what = `${creditsText(payment.credits)} for ${formatMoney(payment.amount, payment.currency)}`;
  if (payment.url !== null) return `${what}: pay at\n${paint.bold(payment.url)}`;
  const isThere = payment.state === "granted" || payment.state === "confirmed";
  return isThere ? `Bought ${what}.` : `${what}: ${payment.state}; bursar payments shows how it goes on.`;
}
