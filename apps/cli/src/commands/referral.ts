import type { Client } from "@bursar/client";
import type { Command } from "commander";
import type { Context, Look } from "../context.ts";
import { creditsText } from "../output/amount.ts";
import { facts } from "../output/table.ts";
import { examples } from "../program.ts";

type Referrals = Awaited<ReturnType<Client["getReferrals"]>>;

export function referral(command: Command, context: Context): void {
  command.addHelpText("after", examples("bursar referral", "bursar referral use K7QF2MXD"));
  showReferrals(command.command("show", { isDefault: true }), context);
  useCode(command.command("use"), context);
}

function showReferrals(command: Command, context: Context): void {
  command
    .description("your code, and what it has brought; the code is made at the first call")
    .addHelpText("after", examples("bursar referral show --json"))
    .action(async () => {
      const { client, account } = await context.connect("account");
      await client.makeReferralCode(account);
      const answer = await client.getReferrals(account);
      context.print(answer, (look) => referralsText(answer, look));
    });
}

const CONDITIONS = {
  purchase: "has bought credits",
  verified_mail: "has confirmed an e-mail address",
} as const;

function referralsText(answer: Referrals, { paint }: Look): string {
  const { code, reward, condition, limit, pending, rewarded, earned, broughtBy } = answer;
  const shown = facts(paint, [
    ["Your code", code],
    ["Rewarded", `${rewarded} of at most ${limit}, ${creditsText(earned)}`],
    ["Waiting", String(pending)],
    ["Brought by", broughtBy === null ? null : `somebody else's code, ${broughtBy.state}`],
  ]);
  return `${shown}\n\nBoth get ${creditsText(reward)} once whoever you brought ${CONDITIONS[condition]}.`;
}

function useCode(command: Command, context: Context): void {
  command
    .description("say whose code brought you")
    .argument("<code>", "their code")
    .addHelpText("after", examples("bursar referral use K7QF2MXD"))
    .action(async (code: string) => {
      const { client, account } = await context.connect("account");
      const answer = await client.trackReferral({ ...account, code });
      context.print(answer, () => `Noted; ${creditsText(answer.reward)} for each of you: ${answer.state}.`);
    });
}
