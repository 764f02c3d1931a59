import type { Command } from "commander";
import type { Context } from "../context.ts";
import { written } from "../output/written.ts";
import { examples } from "../program.ts";

export function exportEverything(command: Command, context: Context): void {
  command
    .addHelpText(
      "after",
      examples("bursar export > bursar.json", "bursar export --account acct_acme > acme.json"),
    )
    .action(async () => {
      const { client, account } = await context.connect("person");
      for await (const part of client.exportText({ ...account })) await written(part);
    });
}
