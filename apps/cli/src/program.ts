import { Command, CommanderError, InvalidArgumentError } from "commander";
import type { GlobalFlags } from "./context.ts";
import { exitCodeTable } from "./exit.ts";

/** Where the help lists what is in no other group. */
export const MORE = "More:";

const ENVIRONMENT = `Environment:
  BURSAR_URL           the server's address
  BURSAR_API_KEY       an account's key
  BURSAR_ADMIN_KEY     a key for the commands under "Administration"
  BURSAR_ACCOUNT       the account that an admin key acts for
  BURSAR_ORGANIZATION  the organization whose credits pay, for its members
  BURSAR_DATA_DIR      where the sandbox keeps its data; default: .bursar here or above
  NO_COLOR             no colours`;

const EXAMPLES = `Examples:
  $ bursar balance
  $ bursar chat "What is a bursar?"
  $ bursar spend 2.5 --feature export --json`;

const GLOBAL_OPTIONS =
  "\nEverywhere: --url, --key, --account, --organization, --why, --json, --no-color (bursar --help tells more)";

/** The flags that every command takes, before or after its name. */
export function createProgram(version: string): Command {
  return new Command("bursar")
    .description("Prepaid credits for AI products.\nFinds a sandbox that runs on this machine by itself.")
    .version(version, "-V, --version", "print the version")
    .option("--url <url>", "the server, such as http://127.0.0.1:3000")
    .option("--key <key>", "an API key, or an admin key")
    .option("--account <id>", "the account to act for, with an admin key")
    .option("--organization <id>", "the organization whose credits pay; for its members, signed in")
    .option("--why <text>", "why an administrator does it, for the record: bursar admin actions")
    .option("--json", "print one JSON document, and errors as JSON on stderr")
    .option("--no-color", "no colours")
    .helpOption("-h, --help", "show this help")
    .addHelpCommand(
      new Command("help").argument("[command]").description("show a command's help").helpGroup(MORE),
    )
    .exitOverride()
    .hook("preAction", (_, command) => refuseEmpty(command))
    .addHelpText("afterAll", ({ command }) => (command.parent === null ? "" : GLOBAL_OPTIONS))
    .addHelpText("after", () => `\n${EXAMPLES}\n\n${ENVIRONMENT}\n\nExit codes:\n${exitCodeTable()}`);
}

/** Of a variable that is not set. Taken for left out, it might mean another thing: "the newest", or all. */
function refuseEmpty({ args, registeredArguments }: Command): void {
  const empty = registeredArguments.find((_, index) => args[index] === "");
  if (empty === undefined) return;
  throw new CommanderError(2, "bursar.emptyArgument", `argument '${empty.name()}' must not be empty`);
}

export function flagsOf(program: Command): GlobalFlags {
  return program.opts<GlobalFlags>();
}

/** Every command's help ends with examples. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join("\n")}`;
}

/** A group whose name alone means one of its subcommands: its help shows that one's arguments and options, too. */
export function defaultSubcommand(group: Command, command: Command, shownExamples: string): void {
  command.addHelpText("after", shownExamples);
  group.addHelpText("after", () => {
    const help = command.createHelp().formatHelp(command, command.createHelp());
    return `\n${group.name()} alone means ${command.name()}:\n\n${help}${shownExamples}`;
  });
}

/** For the first argument of such a subcommand, where a misspelt name arrives as well. */
export function amountOrVerb(...others: readonly string[]): (text: string) => string {
  return (text) => {
    if (/^[-+]?[\d.,]/.test(text)) return text;
    throw new InvalidArgumentError(`It is no amount of credits, nor one of create, ${others.join(", ")}.`);
  };
}
