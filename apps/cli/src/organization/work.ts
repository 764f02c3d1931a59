import type { Client } from "@bursar/client";
import { type Command, Option } from "commander";
import type { Context } from "../context.ts";
import { amount, creditsText } from "../output/amount.ts";
import { table } from "../output/table.ts";
import { relativeTime } from "../output/time.ts";
import { examples } from "../program.ts";

type Request = Awaited<ReturnType<Client["listRequests"]>>["requests"][number];

/** What an organization pays for, and who asks for more. */
export function defineWork(org: Command, context: Context): void {
  repositories(org.command("repos"), context);
  request(org.command("request"), context);
  listRequests(org.command("requests"), context);
  approve(org.command("approve"), context);
  deny(org.command("deny"), context);
}

interface RepositoryOptions {
  readonly add?: string;
  readonly remove?: string;
}

function repositories(command: Command, context: Context): void {
  command
    .description("the repositories that it pays for; add or remove one")
    .argument("<organization>", "its id")
    .option("--add <url>", "https://github.com/owner/name, git@github.com:owner/name.git, …")
    .option("--remove <url>", "the same")
    .addHelpText("after", examples("bursar org repos org_acme --add git@github.com:acme/widget.git"))
    .action(async (id: string, { add, remove }: RepositoryOptions) => {
      const { client } = await context.connect("person");
      if (add !== undefined) await client.addRepository(id, { url: add });
      if (remove !== undefined) await client.removeRepository(id, { url: remove });
      const answer = await client.listRepositories(id);
      context.print(answer, ({ paint, nowMilliseconds }) =>
        table(
          paint,
          [
            { title: "REPOSITORY", of: ({ repository }) => repository },
            { title: "ADDED", of: ({ addedAt }) => relativeTime(addedAt, nowMilliseconds) },
          ],
          answer.repositories,
          "No repositories.",
        ),
      );
    });
}

interface RequestOptions {
  readonly reason: string;
  readonly window?: Request["window"];
}

function request(command: Command, context: Context): void {
  command
    .description("ask for a higher cap")
    .argument("<organization>", "its id")
    .argument("<amount>", "credits more")
    .requiredOption("--reason <text>", "why, for whoever decides")
    .addOption(
      new Option("--window <window>", "which cap; default the tightest").choices(["day", "month", "total"]),
    )
    .addHelpText("after", examples('bursar org request org_acme 50 --reason "the release"'))
    .action(async (id: string, more: string, options: RequestOptions) => {
      const { client } = await context.connect("person");
      const answer = await client.requestCredits(id, { amount: more, ...options });
      context.print(answer, () => `Asked for ${moreText(answer)}: ${answer.id}.`);
    });
}

function moreText({ amount: more, window }: Pick<Request, "amount" | "window">): string {
  return `${creditsText(more)} more ${window === "total" ? "in all" : `a ${window}`}`;
}

function listRequests(command: Command, context: Context): void {
  command
    .description("who has asked for more, open requests first")
    .argument("<organization>", "its id")
    .addHelpText("after", examples("bursar org requests org_acme"))
    .action(async (id: string) => {
      const { client } = await context.connect("person");
      const answer = await client.listRequests(id);
      context.print(answer, ({ paint, nowMilliseconds }) =>
        table(
          paint,
          [
            { title: "REQUEST", of: (each) => each.id },
            { title: "MEMBER", of: ({ memberId }) => memberId },
            { title: "MORE", of: moreText },
            { title: "STATE", of: ({ state, approvedAmount }) => stateText(state, approvedAmount) },
            { title: "ASKED", of: ({ createdAt }) => relativeTime(createdAt, nowMilliseconds) },
            { title: "WHY", of: ({ reason }) => reason },
          ],
          answer.requests,
          "No requests.",
        ),
      );
    });
}

function stateText(state: Request["state"], approved: string | null): string {
  return approved === null ? state : `${state}: ${amount(approved)}`;
}

function approve(command: Command, context: Context): void {
  command
    .description("approve a request: the cap grows at once")
    .argument("<organization>", "its id")
    .argument("<request id>", "the request")
    .option("--amount <amount>", "where it is not what was asked")
    .addHelpText("after", examples("bursar org approve org_acme ask_7"))
    .action(async (id: string, requestId: string, options: { amount?: string }) => {
      const { client } = await context.connect("person");
      const answer = await client.decideRequest(id, { requestId, approve: true, ...options });
      const granted = { ...answer, amount: answer.approvedAmount ?? "0" };
      context.print(answer, () => `${answer.memberId} may use ${moreText(granted)}.`);
    });
}

function deny(command: Command, context: Context): void {
  command
    .description("deny a request")
    .argument("<organization>", "its id")
    .argument("<request id>", "the request")
    .addHelpText("after", examples("bursar org deny org_acme ask_7"))
    .action(async (id: string, requestId: string) => {
      const { client } = await context.connect("person");
      const answer = await client.decideRequest(id, { requestId, approve: false });
      context.print(answer, () => `${answer.id} is denied.`);
    });
}
