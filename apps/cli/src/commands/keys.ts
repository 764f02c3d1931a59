import type { Client } from "@bursar/client";
import { type Command, Option } from "commander";
import type { Context, Look } from "../context.ts";
import { amount } from "../output/amount.ts";
import { table } from "../output/table.ts";
import { expiry, relativeTime } from "../output/time.ts";
import { examples } from "../program.ts";
import { ahead, type Moment } from "../values.ts";
import { rotateKeys } from "./rotate.ts";

type Key = Awaited<ReturnType<Client["listKeys"]>>["keys"][number];

export function keys(command: Command, context: Context): void {
  command.addHelpText(
    "after",
    examples(
      "bursar keys",
      "bursar keys create --name ci --cap 50 --expires 90d",
      "bursar keys revoke key_7",
    ),
  );
  listKeys(command.command("list", { isDefault: true }), context);
  createKey(command.command("create"), context);
  revokeKey(command.command("revoke"), context);
  rotateKeys(command.command("rotate"), context);
}

function listKeys(command: Command, context: Context): void {
  command
    .description("the keys of an account, or all of them")
    .option("--all", "of all accounts")
    .addHelpText("after", examples("bursar keys list --all"))
    .action(async ({ all }: { all?: boolean }) => {
      const { client, account } = await context.connect("admin");
      const answer = await client.listKeys(all === true ? {} : account);
      context.print(answer, (look) => keysText(answer.keys, look));
    });
}

export function keysText(found: readonly Key[], { paint, nowMilliseconds }: Look): string {
  return table(
    paint,
    [
      { title: "KEY", of: (key) => key.id },
      { title: "BEGINS WITH", of: (key) => key.prefix },
      { title: "NAME", of: (key) => key.name },
      { title: "ACCOUNT", of: (key) => key.accountId ?? paint.yellow("admin") },
      { title: "CAP", of: (key) => capText(key) },
      {
        title: "LAST USED",
        of: (key) => (key.lastUsedAt === null ? "never" : relativeTime(key.lastUsedAt, nowMilliseconds)),
      },
      { title: "STATE", of: (key) => stateText(key, { paint, nowMilliseconds }) },
    ],
    found,
    "No keys.",
  );
}

function capText({ capAmount, capUsed, capWindow }: Key): string {
  if (capAmount === null) return "-";
  return `${amount(capUsed)} of ${amount(capAmount)}${capWindow === "total" ? "" : ` a ${capWindow}`}`;
}

function stateText({ revokedAt, expiresAt }: Key, { paint, nowMilliseconds }: Look): string {
  if (revokedAt !== null) return paint.red(`revoked ${relativeTime(revokedAt, nowMilliseconds)}`);
  if (expiresAt === null) return "valid";
  const isOver = Date.parse(expiresAt) <= nowMilliseconds;
  return isOver ? paint.red("expired") : `valid, expires ${expiry(expiresAt, nowMilliseconds)}`;
}

const WINDOWS = ["total", "day", "month"] as const;

interface CreateOptions {
  readonly name?: string;
  readonly cap?: string;
  readonly capWindow?: (typeof WINDOWS)[number];
  readonly expires?: Moment;
}

function createKey(command: Command, context: Context): void {
  command
    .description("create an API key for an account; it is shown once")
    .option("--name <name>", "to recognise it by")
    .option("--cap <amount>", "the most credits it may use")
    .addOption(
      new Option("--cap-window <window>", "what the cap is counted over; default total").choices(WINDOWS),
    )
    .option("--expires <when>", '"90d", "2027-01-31"; default never', ahead)
    .addHelpText(
      "after",
      examples("bursar keys create --account acct_demo --name ci --cap 50 --cap-window month"),
    )
    .action(async ({ name, cap, capWindow, expires }: CreateOptions) => {
      const { client, requireAccount } = await context.connect("admin");
      const accountId = requireAccount();
      const limits = { capAmount: cap, capWindow, expiresAt: await context.instant(expires) };
      const answer = await client.createKey({ accountId, name, ...limits });
      context.print(
        answer,
        ({ paint }) =>
          `${paint.bold(answer.key)}\n\nThis is ${answer.id} of ${accountId}. It is not shown again.`,
      );
    });
}

function revokeKey(command: Command, context: Context): void {
  command
    .description("revoke a key, effective with the next request")
    .argument("<key id>", "the key's id, not the key itself")
    .addHelpText("after", examples("bursar keys revoke key_7"))
    .action(async (id: string) => {
      const { client } = await context.connect("admin");
      const answer = await client.revokeKey(id);
      context.print(answer, () => `${answer.id} is revoked.`);
    });
}
