import { type Command, Option } from "commander";
import type { Context } from "../context.ts";
import { table } from "../output/table.ts";
import { both } from "../output/time.ts";
import { examples } from "../program.ts";
import { wholeNumber } from "../values.ts";

/** How people join an organization. */
export function defineInvites(org: Command, context: Context): void {
  invite(org.command("invite"), context);
  listInvites(org.command("invites"), context);
  revokeInvite(org.command("revoke-invite"), context);
  accept(org.command("accept"), context);
}

interface InviteOptions {
  readonly role?: "admin" | "member";
  readonly days?: number;
}

function invite(command: Command, context: Context): void {
  command
    .description("invite somebody by mail; the link is good once")
    .argument("<organization>", "its id")
    .argument("<e-mail>", "the mailbox")
    .addOption(new Option("--role <role>", "default member").choices(["admin", "member"]))
    .option("--days <number>", "how long the link is good, 1 to 30; default 7", wholeNumber)
    .addHelpText("after", examples("bursar org invite org_acme bob@example.org --days 3"))
    .action(async (id: string, email: string, options: InviteOptions) => {
      const { client } = await context.connect("person");
      const answer = await client.createInvite(id, { email, ...options });
      context.print(
        answer,
        ({ nowMilliseconds }) =>
          `${answer.email} is invited as ${answer.role}; the link ends ${both(answer.expiresAt, nowMilliseconds)}:\n${answer.link}`,
      );
    });
}

function listInvites(command: Command, context: Context): void {
  command
    .description("the invites that are open")
    .argument("<organization>", "its id")
    .addHelpText("after", examples("bursar org invites org_acme"))
    .action(async (id: string) => {
      const { client } = await context.connect("person");
      const answer = await client.listInvites(id);
      context.print(answer, ({ paint, nowMilliseconds }) =>
        table(
          paint,
          [
            { title: "INVITE", of: (each) => each.id },
            { title: "E-MAIL", of: ({ email }) => email },
            { title: "ROLE", of: ({ role }) => role },
            { title: "ENDS", of: ({ expiresAt }) => both(expiresAt, nowMilliseconds) },
          ],
          answer.invites,
          "No open invites.",
        ),
      );
    });
}

function revokeInvite(command: Command, context: Context): void {
  command
    .description("take an invite back")
    .argument("<organization>", "its id")
    .argument("<invite id>", "the invite")
    .addHelpText("after", examples("bursar org revoke-invite org_acme invite_7"))
    .action(async (id: string, inviteId: string) => {
      const { client } = await context.connect("person");
      const answer = await client.revokeInvite(id, { inviteId });
      context.print(answer, () => `${answer.id} is revoked.`);
    });
}

function accept(command: Command, context: Context): void {
  command
    .description("join an organization by the token of an invite")
    .argument("<token>", "from the mail, or the whole link")
    .addHelpText("after", examples("bursar org accept inv_7Hq…"))
    .action(async (given: string) => {
      const { client } = await context.connect("person");
      const token = URL.canParse(given) ? (new URL(given).searchParams.get("token") ?? given) : given;
      const answer = await client.acceptInvite({ token });
      context.print(answer, () => `You are a member of ${answer.name} (${answer.organizationId}).`);
    });
}
