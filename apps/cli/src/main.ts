import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CommanderError } from "commander";
import { addCommands, commandNames } from "./commands.ts";
import { type Context, createContext } from "./context.ts";
import { EXIT, type ExitName } from "./exit.ts";
import { usageFailure } from "./failure.ts";
import { createProgram, flagsOf } from "./program.ts";
import { printReport, reportOf } from "./report.ts";

/** A reader that has seen enough (`| head`), or a terminal that has gone, is no error. */
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
    // A run that is under way is called off first.
    if (!process.emit("SIGHUP", "SIGHUP")) process.exit(EXIT.done);
  });
}

/** Lets the process end by itself, so that all output arrives, or goes on serving. */
const end = await run(process.argv.slice(2));
if (end !== "done") process.exitCode = EXIT[end];

async function run(words: readonly string[]): Promise<ExitName> {
  const program = createProgram(version());
  const context = createContext(
    {
      environment: process.env,
      folder: process.cwd(),
      repository: fileURLToPath(new URL("../../..", import.meta.url)),
    },
    () => ({ ...flagsOf(program), ...(words.includes("--json") ? { json: true } : {}) }),
  );
  program.configureOutput({ outputError: () => undefined });
  try {
    await addCommands(program, context, words);
    if (words.length === 0) program.outputHelp();
    else await program.parseAsync(words, { from: "user" });
    return context.verdict();
  } catch (thrown) {
    return fail(thrown, context, words);
  }
}

function fail(thrown: unknown, context: Context, words: readonly string[]): ExitName {
  if (thrown instanceof CommanderError && thrown.exitCode === 0) return "done";
  if (thrown instanceof CommanderError && thrown.code === "commander.help") return "usage";
  const report = reportOf(thrown instanceof CommanderError ? usageOf(thrown, words) : thrown, context);
  printReport(report, context);
  return report.exit;
}

function usageOf(error: CommanderError, words: readonly string[]) {
  const message = error.message.replace(/^error: /, "").replace("\n", " ");
  const command = commandNames().find((name) => words.includes(name));
  return usageFailure(message, `What is right: ${["bursar", command, "--help"].filter(Boolean).join(" ")}`);
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  const isManifest = typeof manifest === "object" && manifest !== null && "version" in manifest;
  return isManifest ? String(manifest.version) : "unknown";
}
