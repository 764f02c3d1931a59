import type { Client } from "@bursar/client";
import { type Command, Option } from "commander";
import type { Context, Look } from "../context.ts";
import { table } from "../output/table.ts";
import { clockTime } from "../output/time.ts";
import { defaultSubcommand, examples } from "../program.ts";
import { wholeNumber } from "../values.ts";

type Page = Awaited<ReturnType<Client["listEvents"]>>;
type Event = Page["events"][number];

const STATES = ["waiting", "done", "ignored", "parked"] as const;

export function events(command: Command, context: Context): void {
  defaultSubcommand(
    command,
    list(command.command("list", { isDefault: true }), context),
    examples("bursar events", "bursar events list --state parked", "bursar events resend evt_7"),
  );
  resend(command.command("resend"), context);
}

interface ListOptions {
  readonly state?: Event["state"];
  readonly limit: number;
  readonly cursor?: string;
}

function list(command: Command, context: Context): Command {
  return command
    .description("what the payment provider has told, newest first")
    .addOption(new Option("--state <state>", "only those").choices(STATES))
    .option("--limit <count>", "at most this many", wholeNumber, 20)
    .option("--cursor <cursor>", "go on where the last page ended")
    .action(async (options: ListOptions) => {
      const { client } = await context.connect("admin");
      const page = await client.listEvents({ ...options });
      context.print(page, (look) => eventsText(page, look));
    });
}

export function eventsText({ events: found, nextCursor }: Page, { paint }: Look): string {
  const rows = table(
    paint,
    [
      { title: "EVENT", of: ({ id }) => id },
      { title: "RECEIVED", of: ({ receivedAt }) => clockTime(receivedAt, "seconds") },
      { title: "TYPE", of: ({ type }) => type },
      { title: "STATE", of: ({ state }) => (state === "parked" ? paint.red(state) : state) },
      { title: "", of: ({ lastError }) => lastError ?? "" },
    ],
    found,
    "No events.",
  );
  return nextCursor === null ? rows : `${rows}\n${paint.dim(`Older: --cursor ${nextCursor}`)}`;
}

function resend(command: Command, context: Context): void {
  command
    .description("process an event again; from the provider, where it never arrived")
    .argument("<event id>", "the event")
    .addHelpText("after", examples("bursar events resend evt_7"))
    .action(async (id: string) => {
      const { client } = await context.connect("admin");
      const event = await client.resendEvent(id);
      context.print(event, (look) => eventsText({ events: [event], nextCursor: null }, look));
    });
}
