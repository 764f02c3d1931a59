import type { Command } from "commander";
import { Failure } from "../failure.ts";
import { examples } from "../program.ts";

interface ServeOptions {
  readonly listen?: string;
  readonly port?: string;
  readonly host?: string;
  readonly dataDir?: string;
}

const SERVER = "@bursar/server/main";

export function serve(command: Command): void {
  command
    .option("--port <port>", "default 3000")
    .option("--listen <ports>", "several ports, as 3000,3001")
    .option("--host <host>", "default 127.0.0.1")
    .option("--data-dir <folder>", "where the sandbox keeps its data; default .bursar")
    .addHelpText("after", examples("bursar serve", "bursar serve --port 8080 --data-dir /tmp/bursar"))
    .action(async (options: ServeOptions) => {
      outliveReaders();
      process.argv = [process.execPath, SERVER, ...argumentsFor(options)];
      await import(serverModule());
    });
}

/** The server reads its own arguments, and its other settings from the environment. */
function argumentsFor({ listen, port, host, dataDir }: ServeOptions): string[] {
  const pairs = { "--listen": listen, "--port": port, "--host": host, "--data-dir": dataDir };
  return Object.entries(pairs).flatMap(([flag, value]) => (value === undefined ? [] : [flag, value]));
}

/** The server is an app of its own: found where it is installed, but no part of what this one is made of. */
function serverModule(): string {
  try {
    return import.meta.resolve(SERVER);
  } catch {
    throw new Failure("unavailable", "unavailable", "The server is not installed here.", [
      "bursar serve works in Bursar's own folder, after npm install.",
    ]);
  }
}

/** A server does not end because nobody reads what it prints any more. */
function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.removeAllListeners("error");
    stream.on("error", () => undefined);
  }
}
