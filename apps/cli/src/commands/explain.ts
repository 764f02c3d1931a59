import type { Client } from "@bursar/client";
import type { Receipt } from "@bursar/contract/operations/history";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { type Before, storyOf } from "../explain/story.ts";
import { Failure } from "../failure.ts";
import { examples } from "../program.ts";

export function explain(command: Command, context: Context): void {
  command
    .argument(
      "[id]",
      "a request's id, or that of an operation, hold or grant; default: the newest of the ledger",
    )
    .addHelpText(
      "after",
      examples("bursar explain", "bursar explain req_7k2p", "bursar explain hold_7 --json"),
    )
    .action(async (given: string | undefined) => {
      const { client, account } = await context.connect("account");
      const id = given ?? (await newest(client, account));
      const receipt = await client.getReceipt(id, account);
      const before = context.isJson() ? null : await bucketsBefore(client, receipt, account);
      context.print(receipt, (look) => storyOf(receipt, before, look));
    });
}

async function newest(client: Client, account: { accountId?: string }): Promise<string> {
  const { entries } = await client.listEntries({ ...account, limit: 1 });
  if (entries[0] !== undefined) return entries[0].reference;
  throw new Failure("notFound", "receipt_unknown", "Nothing has happened on this account yet.");
}

const NOTHING: Before = { availableAfter: "0", heldAfter: "0", owedAfter: "0" };

/** What the account had just before: the entry that precedes. null where it is not surely that one. */
async function bucketsBefore(
  client: Client,
  { entries }: Receipt,
  account: { accountId?: string },
): Promise<Before | null> {
  const first = entries[0];
  if (first === undefined) return null;
  if (first.seq === 1) return NOTHING;
  const page = await client
    .listEntries({ ...account, limit: 1, cursor: `before:${first.seq}` })
    .catch(() => null);
  const preceding = page?.entries[0];
  return preceding?.seq === first.seq - 1 ? preceding : null;
}
