import type { Client } from "@bursar/client";
import type { Command } from "commander";
import type { Context, Look } from "../context.ts";
import { amount } from "../output/amount.ts";
import { table } from "../output/table.ts";
import { examples } from "../program.ts";
import { type Caps, capsFrom } from "./caps.ts";

type Member = Awaited<ReturnType<Client["listMembers"]>>["members"][number];

/** Who belongs to an organization, and what they may. */
export function defineMembers(org: Command, context: Context): void {
  listMembers(org.command("members"), context);
  setCaps(org.command("cap"), context);
  setRole(org.command("role"), context);
  remove(org.command("remove"), context);
  leave(org.command("leave"), context);
  transfer(org.command("transfer"), context);
}

function listMembers(command: Command, context: Context): void {
  command
    .description("the members, their caps and what they have used")
    .argument("<organization>", "its id")
    .addHelpText("after", examples("bursar org members org_acme"))
    .action(async (id: string) => {
      const { client } = await context.connect("person");
      const answer = await client.listMembers(id);
      context.print(answer, (look) => membersText(answer.members, look));
    });
}

function membersText(members: readonly Member[], { paint }: Look): string {
  const use = (window: keyof Member["caps"]) => ({
    title: TITLES[window],
    of: ({ used, caps }: Member) => {
      if (used === null) return "";
      const cap = caps[window];
      return cap === null ? amount(used[window]) : `${amount(used[window])} of ${amount(cap)}`;
    },
  });
  return table(
    paint,
    [
      { title: "MEMBER", of: ({ id }) => id },
      { title: "NAME", of: ({ name, email }) => (name === null ? "-" : `${name} <${email}>`) },
      { title: "ROLE", of: ({ role }) => role },
      ...[use("day"), use("month"), use("total")],
    ],
    members,
    "No members.",
  );
}

const TITLES = { day: "TODAY", month: "THIS MONTH", total: "IN ALL" } as const;

function setCaps(command: Command, context: Context): void {
  command
    .description("set what a member may use; 0 stops at once")
    .argument("<organization>", "its id")
    .argument("<member>", "an id, username or e-mail")
    .option("--day <amount>", 'credits a day, or "none"')
    .option("--month <amount>", 'credits a month, or "none"')
    .option("--total <amount>", 'credits in all, or "none"')
    .addHelpText("after", examples("bursar org cap org_acme bob --day 20 --month 200"))
    .action(async (id: string, memberId: string, caps: Caps) => {
      const { client } = await context.connect("person");
      const answer = await client.setMemberCaps(id, { memberId, ...capsFrom(caps) });
      context.print(answer, () => {
        const shown = (["day", "month", "total"] as const).map((window) => {
          const cap = answer.caps[window];
          return `${window} ${cap === null ? "no cap" : amount(cap)} (${amount(answer.used[window])} used)`;
        });
        return `${answer.memberId}: ${shown.join(", ")}.`;
      });
    });
}

function setRole(command: Command, context: Context): void {
  command
    .description("make a member an admin, or an admin a member")
    .argument("<organization>", "its id")
    .argument("<member>", "an id, username or e-mail")
    .argument("<role>", "admin or member")
    .addHelpText("after", examples("bursar org role org_acme bob admin"))
    .action(async (id: string, memberId: string, role: string) => {
      const { client } = await context.connect("person");
      // The server names a role that is none.
      const answer = await client.setMemberRole(id, { memberId, role: role as "admin" | "member" });
      context.print(answer, () => `${answer.memberId} is ${role} of ${answer.id}.`);
    });
}

function remove(command: Command, context: Context): void {
  command
    .description("end a membership")
    .argument("<organization>", "its id")
    .argument("<member>", "an id, username or e-mail")
    .addHelpText("after", examples("bursar org remove org_acme bob"))
    .action(async (id: string, memberId: string) => {
      const { client } = await context.connect("person");
      const answer = await client.removeMember(id, { memberId });
      context.print(answer, () => `${answer.memberId} is no member of ${answer.id} any more.`);
    });
}

function leave(command: Command, context: Context): void {
  command
    .description("end your own membership")
    .argument("<organization>", "its id")
    .addHelpText("after", examples("bursar org leave org_acme"))
    .action(async (id: string) => {
      const { client } = await context.connect("person");
      const answer = await client.leaveOrganization(id);
      context.print(answer, () => `You have left ${answer.id}.`);
    });
}

function transfer(command: Command, context: Context): void {
  command
    .description("hand the organization to another member; you become an admin")
    .argument("<organization>", "its id")
    .argument("<member>", "an id, username or e-mail")
    .addHelpText("after", examples("bursar org transfer org_acme bob"))
    .action(async (id: string, memberId: string) => {
      const { client } = await context.connect("person");
      const answer = await client.transferOrganization(id, { memberId });
      context.print(answer, () => `${answer.memberId} owns ${answer.id}.`);
    });
}
