import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { type Journal, openJournal } from "@bursar/client/agent/journal/journal";

const MOST_LINES = 500;

/** What the agent's command keeps between its runs, in folders that only its user can read. */
export function stateFolder(environment: NodeJS.ProcessEnv): string {
  const base = environment["XDG_STATE_HOME"] || join(environment["HOME"] || homedir(), ".local", "state");
  return join(base, "bursar");
}

/** What can be taken back of what agents did in this folder. */
export function journalOf(environment: NodeJS.ProcessEnv, folder: string): Journal {
  const name = createHash("sha256").update(realpathSync(folder)).digest("hex").slice(0, 24);
  return openJournal(join(stateFolder(environment), "undo", name));
}

/** Sorts by time. */
export function newRunName(nowMilliseconds: number): string {
  return `${String(nowMilliseconds).padStart(15, "0")}-${crypto.randomUUID().slice(0, 8)}`;
}

export interface PromptHistory {
  /** Newest first, as readline wants it. */
  readonly lines: readonly string[];
  add(line: string): void;
}

/** What was asked before, for the arrow keys. A file that cannot be used is no reason not to work. */
export function openPromptHistory(environment: NodeJS.ProcessEnv): PromptHistory {
  const path = join(stateFolder(environment), "agent-history");
  const lines = readLines(path);
  return {
    lines: lines.toReversed(),
    add: (line) => {
      if (lines.at(-1) === line) return;
      lines.push(line);
      try {
        mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
        writeFileSync(path, `${lines.slice(-MOST_LINES).join("\n")}\n`, { mode: 0o600 });
      } catch {
        // Next time the arrow keys know less; that is all.
      }
    },
  };
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => line !== "");
  } catch {
    return [];
  }
}
