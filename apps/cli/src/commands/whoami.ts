import type { Command } from "commander";
import type { Context } from "../context.ts";
import { Failure } from "../failure.ts";
import { examples } from "../program.ts";
import { ask, refusal } from "../sign-in/ask.ts";
import { freshToken } from "../sign-in/fresh.ts";
import { openSignIns } from "../sign-in/store.ts";

export function whoami(command: Command, context: Context): void {
  command.addHelpText("after", examples("bursar whoami")).action(async () => {
    const url = context.server();
    const signIns = openSignIns(context.environment);
    const signedIn = signIns.all().find((each) => each.url === url);
    if (signedIn === undefined) {
      const hints = ["Sign in: bursar login"];
      throw new Failure("notAllowed", "unauthenticated", `You are not signed in at ${url}.`, hints);
    }
    const answer = await ask(url, "GET", "/api/auth/me", { token: await freshToken(signIns, signedIn) });
    if (answer.status !== 200) throw refusal(answer);
    const { name, role, accountId } = signedIn;
    context.print(answer.body, () => `${name} (${role}) at ${url}, account ${accountId}`);
  });
}
