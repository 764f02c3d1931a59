import type { Command } from "commander";
import type { Context } from "../context.ts";
import { examples } from "../program.ts";
import { ask, refusal } from "../sign-in/ask.ts";
import { askToComeIn, type Device, waitForPerson } from "../sign-in/device.ts";
import { signedInFrom } from "../sign-in/fresh.ts";
import { openSignIns } from "../sign-in/store.ts";

export function login(command: Command, context: Context): void {
  command
    .addHelpText("after", examples("bursar login", "bursar login --url https://bursar.example"))
    .action(async () => {
      const url = context.server();
      const signIns = openSignIns(context.environment);
      signIns.prepare();
      const device = await askToComeIn(url);
      announce(device, context);
      const tokens = await waitForPerson(url, device);
      const answer = await ask(url, "GET", "/api/auth/me", { token: tokens.accessToken });
      if (answer.status !== 200) throw refusal(answer);
      const signedIn = signedInFrom(url, { ...answer.body, ...tokens });
      signIns.keep(signedIn);
      const { name, role, accountId } = signedIn;
      context.print(
        { url, name, role, accountId },
        () => `You are ${name} (${role}) at ${url}, account ${accountId}.`,
      );
    });
}

/** On stderr, so that the one answer on stdout stays the last word. */
function announce({ page, userCode }: Device, context: Context): void {
  const { paint } = context.look(process.stderr);
  const text = context.isJson()
    ? JSON.stringify({ page, userCode })
    : `Open this page, sign in, and approve the code ${paint.bold(userCode)}:\n\n  ${page}\n`;
  process.stderr.write(`${text}\n`);
}
