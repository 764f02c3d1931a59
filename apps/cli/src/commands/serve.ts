import type { Command } from "commander";
import { examples } from "../program.ts";

interface ServeOptions {
  readonly listen?: string;
  readonly port?: string;
  readonly host?: string;
  readonly dataDir?: string;
}

export function serve(command: Command): void {
  command
    .option("--port <port>", "default 3000")
    .option("--listen <ports>", "several ports, as 3000,3001")
    .option("--host <host>", "default 127.0.0.1")
    .option("--data-dir <folder>", "where the sandbox keeps its data; default .bursar")
    .addHelpText("after", examples("bursar serve", "bursar serve --port 8080 --data-dir /tmp/bursar"))
    .action(async (options: ServeOptions) => {
      outliveReaders();
      process.argv = [process.execPath, "bursar serve", ...argumentsFor(options)];
      await import("@bursar/server/main");
    });
}

/** The server starts when it is loaded, and reads its arguments and the environment by itself. */
function argumentsFor({ listen, port, host, dataDir }: ServeOptions): string[] {
  const pairs = { "--listen": listen, "--port": port, "--host": host, "--data-dir": dataDir };
  return Object.entries(pairs).flatMap(([flag, value]) => (value === undefined ? [] : [flag, value]));
}

/** A server does not end because nobody reads what it prints any more. */
function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.removeAllListeners("error");
    stream.on("error", () => undefined);
  }
}
