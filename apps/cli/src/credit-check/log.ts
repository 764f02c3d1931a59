import type { Paint } from "../output/paint.ts";

const WIDTH = 80;

type Level = "INFO" | "SUCCESS" | "WARNING" | "ERROR";

export interface Line {
  readonly level: Level;
  readonly text: string;
}

/** What the tester says: headers 80 columns wide, and one line for each finding. */
export interface TestLog {
  header(text: string): void;
  say(level: Level, text: string): void;
  /** The lines since the last header. */
  lines(): readonly Line[];
}

export function openTestLog(paint: Paint, write: (line: string) => void): TestLog {
  const colours: Record<Level, (text: string) => string> = {
    INFO: (text) => text,
    SUCCESS: paint.green,
    WARNING: paint.yellow,
    ERROR: paint.red,
  };
  let lines: Line[] = [];
  return {
    header: (text) => {
      lines = [];
      write("");
      for (const line of ["=".repeat(WIDTH), text, "=".repeat(WIDTH)]) write(line);
    },
    say: (level, text) => {
      lines.push({ level, text });
      write(`${colours[level](`[${level}]`)} ${text}`);
    },
    lines: () => lines,
  };
}
