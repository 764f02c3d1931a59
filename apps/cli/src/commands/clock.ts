import type { Client } from "@bursar/client";
import { DURATION_HINT, parseDuration } from "@bursar/contract/duration";
import { type Command, InvalidArgumentError } from "commander";
import type { Context, Look } from "../context.ts";
import { facts } from "../output/table.ts";
import { clockTime } from "../output/time.ts";
import { examples } from "../program.ts";

type State = Awaited<ReturnType<Client["getClock"]>>;
type Moved = Awaited<ReturnType<Client["moveClock"]>>;
type Move = Parameters<Client["moveClock"]>[0];

export function clock(command: Command, context: Context): void {
  command.addHelpText(
    "after",
    examples("bursar clock", "bursar clock advance 31d", "bursar clock advance 1mo --json"),
  );
  show(command.command("show", { isDefault: true }), context);
  advance(command.command("advance"), context);
  stand(command.command("freeze"), context, true);
  stand(command.command("unfreeze"), context, false);
}

function show(command: Command, context: Context): void {
  command
    .description("the sandbox's time")
    .addHelpText("after", examples("bursar clock show --json"))
    .action(async () => {
      const { client } = await context.connect("admin");
      const state = await client.getClock();
      context.print(state, (look) => stateText(state, look));
    });
}

function advance(command: Command, context: Context): void {
  command
    .description("move time ahead; what becomes due by that is done before the command ends")
    .argument("<duration>", DURATION_HINT, duration)
    .addHelpText("after", examples("bursar clock advance 31d", "bursar clock advance 3mo"))
    .action((text: string) => move(context, { advance: text }));
}

function stand(command: Command, context: Context, freeze: boolean): void {
  const name = freeze ? "freeze" : "unfreeze";
  command
    .description(freeze ? "let time stand still" : "let time go on from where it stands")
    .addHelpText("after", examples(`bursar clock ${name}`))
    .action(() => move(context, { freeze }));
}

/** A year may have a lot to do, and asking again would move the clock once more. */
const LONGEST_MILLISECONDS = 600_000;

async function move(context: Context, change: Move): Promise<void> {
  const { client } = await context.connect("admin");
  const moved = await client.moveClock(change, { timeoutMilliseconds: LONGEST_MILLISECONDS });
  context.print(moved, (look) => movedText(moved, look));
  if (!moved.settled) context.conclude("unavailable");
}

export function movedText(moved: Moved, look: Look): string {
  const state = stateText(moved, look);
  if (moved.settled) return state;
  return `${state}\n\n${look.paint.yellow("The clock has moved, but not all that is due could be done; the server's log says why.")}`;
}

export function stateText({ now, systemTime, frozen }: State, { paint }: Look): string {
  return facts(paint, [
    ["Sandbox", `${clockTime(now, "seconds")}${frozen ? `, ${paint.yellow("frozen")}` : ""}`],
    ["Machine", clockTime(systemTime, "seconds")],
  ]);
}

function duration(text: string): string {
  if (parseDuration(text) !== null) return text;
  throw new InvalidArgumentError(`It must be ${DURATION_HINT}.`);
}
