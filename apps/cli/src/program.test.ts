import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { addCommands, commandNames } from "./commands.ts";
import { createContext } from "./context.ts";
import { EXIT, exitCodeTable } from "./exit.ts";
import { createProgram, flagsOf } from "./program.ts";

const program = createProgram("1.2.3");
const context = createContext({ environment: {}, folder: "/", repository: "/" }, () => flagsOf(program));
await addCommands(program, context, commandNames());

function allOf(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allOf)];
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

function helpOf(command: Command): string {
  let text = "";
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return text;
}

const commands = allOf(program).filter((command) => command.name() !== "help");

describe("the help", () => {
  test.each(commands.map((command) => [pathOf(command), command] as const))(
    "of %s has an example of it",
    (path, command) => {
      const help = helpOf(command);
      expect(help).toContain("Examples:");
      expect(help.slice(help.indexOf("Examples:"))).toContain(
        command.parent === null ? "$ bursar " : `$ ${shortest(path)}`,
      );
    },
  );

  test.each(commands.map((command) => [pathOf(command), command] as const))(
    "of %s describes it",
    (_, command) => {
      expect(command.description()).not.toBe("");
    },
  );

  test("names every exit code", () => {
    for (const code of Object.values(EXIT)) expect(exitCodeTable()).toMatch(new RegExp(`^ *${code} `, "m"));
    expect(helpOf(program)).toContain(exitCodeTable());
  });
});

/** What is left out when the default subcommand is meant may be left out in its examples. */
function shortest(path: string): string {
  return path.replace(/^(bursar (?:hold|grant|usage)) (?:create|show)$/, "$1");
}
