import type { Command } from "commander";
import type { Context } from "../context.ts";
import { examples } from "../program.ts";
import { watchAccount } from "../watch/watch.ts";

export function watch(command: Command, context: Context): void {
  command
    .addHelpText(
      "after",
      `${examples("bursar watch", "bursar watch --json | jq 'select(.topic == \"balance\").available'")}\n\nOn a terminal a view that renews itself; elsewhere a line for each change. With --json, a JSON\ndocument a line: {topic, …}. Ends with Ctrl-C. A lost connection is renewed by itself.`,
    )
    .action(async () => {
      const { client, account, credential } = await context.connect("account");
      // Says at once when nothing answers or the key is wrong: a socket would try again and again.
      await client.getBalance(account);
      await watchAccount({ url: client.url, credential, accountId: account.accountId }, context);
    });
}
