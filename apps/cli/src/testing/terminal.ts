import { stripVTControlCharacters } from "node:util";
import { type IPty, spawn } from "@lydell/node-pty";
import { PROGRAM } from "./bursar.ts";

/** The command in a real terminal, with a person's fingers. */
export interface Terminal extends Disposable {
  /** Everything that was shown, without colours. */
  shown(): string;
  /** Waits until what is shown after the last thing waited for contains this. */
  see(text: string): Promise<void>;
  type(keys: string): void;
  kill(signal: NodeJS.Signals): void;
  readonly exited: Promise<number>;
}

const PATIENCE_MILLISECONDS = 30_000;

export function openTerminal(
  args: readonly string[],
  options: { readonly folder: string; readonly environment: Readonly<Record<string, string>> },
): Terminal {
  const { PATH = "", HOME = "" } = process.env;
  const env = { PATH, HOME, TERM: "xterm-256color", ...options.environment };
  const child: IPty = spawn(process.execPath, [PROGRAM, ...args], {
    ...{ cwd: options.folder, env, cols: 120, rows: 40 },
    name: "xterm-256color",
  });
  let output = "";
  let read = 0;
  const waiting = new Set<() => void>();
  child.onData((data) => {
    output += data;
    for (const look of waiting) look();
  });
  const { promise: exited, resolve: onExit } = Promise.withResolvers<number>();
  child.onExit(({ exitCode }) => onExit(exitCode));
  const shown = () => stripVTControlCharacters(output).replaceAll("\r", "");
  return {
    shown,
    exited,
    type: (keys) => child.write(keys),
    kill: (signal) => child.kill(signal),
    see: (text) =>
      new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(look);
          reject(new Error(`${JSON.stringify(text)} is not shown:\n${shown().slice(read)}`));
        }, PATIENCE_MILLISECONDS);
        const look = () => {
          const at = shown().indexOf(text, read);
          if (at < 0) return;
          read = at + text.length;
          clearTimeout(timer);
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    [Symbol.dispose]: () => {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended by itself.
      }
    },
  };
}
