import type { Client } from "@bursar/client";
import type { Command } from "commander";
import type { Context, Look } from "../context.ts";
import { type Caps, capsFrom } from "../organization/caps.ts";
import { defineInvites } from "../organization/invites.ts";
import { defineMembers } from "../organization/members.ts";
import { defineWork } from "../organization/work.ts";
import { amount, creditsText, isZero } from "../output/amount.ts";
import { facts, table } from "../output/table.ts";
import { examples } from "../program.ts";

type Organization = Awaited<ReturnType<Client["getOrganization"]>>;

export function org(command: Command, context: Context): void {
  command.addHelpText(
    "after",
    examples(
      'bursar org create "Acme" --id org_acme',
      "bursar org invite org_acme bob@example.org",
      "bursar org cap org_acme bob --month 200",
      "bursar balance --organization org_acme",
    ),
  );
  listOrganizations(command.command("list", { isDefault: true }), context);
  createOrganization(command.command("create"), context);
  showOrganization(command.command("show"), context);
  changeOrganization(command.command("change"), context);
  defineMembers(command, context);
  defineInvites(command, context);
  defineWork(command, context);
}

function listOrganizations(command: Command, context: Context): void {
  command
    .description("the organizations you belong to; all of them with an admin key")
    .addHelpText("after", examples("bursar org list"))
    .action(async () => {
      const { client } = await context.connect("person");
      const answer = await client.listOrganizations();
      context.print(answer, ({ paint }) =>
        table(
          paint,
          [
            { title: "ORGANIZATION", of: ({ id }) => id },
            { title: "NAME", of: ({ name }) => name },
            { title: "YOU ARE", of: ({ role }) => role ?? "-" },
            { title: "MEMBERS", align: "decimal", of: ({ members }) => String(members) },
            { title: "CREDITS", align: "decimal", of: ({ available }) => amount(available) },
          ],
          answer.organizations,
          "No organizations.",
        ),
      );
    });
}

function organizationText(found: Organization, { paint }: Look): string {
  const { id, name, role, accountId, available, held, owed, members, defaultCaps } = found;
  const caps = Object.entries(defaultCaps).flatMap(([window, cap]) =>
    cap === null ? [] : [`${amount(cap)} ${window === "total" ? "in all" : `a ${window}`}`],
  );
  return facts(paint, [
    ["Organization", `${paint.bold(id)}, ${name}`],
    ["You are", role],
    ["Account", accountId],
    ["Available", creditsText(available)],
    ["Held", isZero(held) ? null : creditsText(held)],
    ["Owed", isZero(owed) ? null : paint.red(creditsText(owed))],
    ["Members", String(members)],
    ["Newcomers may use", caps.length === 0 ? null : caps.join(", ")],
  ]);
}

interface CreateOptions {
  readonly id?: string;
  readonly owner?: string;
}

function createOrganization(command: Command, context: Context): void {
  command
    .description("make an organization that you own")
    .argument("<name>", "as people know it")
    .option("--id <id>", "your id for it, such as org_acme")
    .option("--owner <person>", "with an admin key: who is to own it")
    .addHelpText("after", examples('bursar org create "Acme" --id org_acme'))
    .action(async (name: string, { id, owner }: CreateOptions) => {
      const { client } = await context.connect("person");
      const answer = await client.createOrganization({ name, id, ownerId: owner });
      context.print(answer, (look) => organizationText(answer, look));
    });
}

function showOrganization(command: Command, context: Context): void {
  command
    .description("one organization, with its credits")
    .argument("<organization>", "its id")
    .addHelpText("after", examples("bursar org show org_acme"))
    .action(async (id: string) => {
      const { client } = await context.connect("person");
      const answer = await client.getOrganization(id);
      context.print(answer, (look) => organizationText(answer, look));
    });
}

interface ChangeOptions extends Caps {
  readonly name?: string;
}

function changeOrganization(command: Command, context: Context): void {
  command
    .description("rename it, or set what those who join from now on may use")
    .argument("<organization>", "its id")
    .option("--name <name>", "the new name")
    .option("--day <amount>", 'credits a day, or "none"')
    .option("--month <amount>", 'credits a month, or "none"')
    .option("--total <amount>", 'credits in all, or "none"')
    .addHelpText("after", examples("bursar org change org_acme --month 100"))
    .action(async (id: string, { name, ...caps }: ChangeOptions) => {
      const { client } = await context.connect("person");
      const answer = await client.changeOrganization(id, { name, defaultCaps: capsFrom(caps) });
      context.print(answer, (look) => organizationText(answer, look));
    });
}
