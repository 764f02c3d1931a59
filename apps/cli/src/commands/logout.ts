import type { Command } from "commander";
import type { Context } from "../context.ts";
import { examples } from "../program.ts";
import { ask, refusal } from "../sign-in/ask.ts";
import { openSignIns } from "../sign-in/store.ts";

export function logout(command: Command, context: Context): void {
  command.addHelpText("after", examples("bursar logout")).action(async () => {
    const url = context.server();
    const signIns = openSignIns(context.environment);
    const signedIn = signIns.all().find((each) => each.url === url);
    if (signedIn !== undefined) {
      const { refreshToken } = signedIn;
      const answer = await ask(url, "POST", "/api/auth/logout", { body: { refreshToken } });
      if (answer.status !== 200) throw refusal(answer);
      signIns.forget(url);
    }
    context.print({ url, wasSignedIn: signedIn !== undefined }, () =>
      signedIn === undefined
        ? `You were not signed in at ${url}.`
        : `${signedIn.name} is signed out at ${url}.`,
    );
  });
}
