import type { Context } from "../context.ts";
import { viewOf, type Watched } from "./view.ts";

/** A part of the terminal that is drawn over and over. */
export interface Screen {
  show(watched: Watched): void;
  close(): void;
}

const TICK_MILLISECONDS = 1000;
const HIDE_CURSOR = "\u001b[?25l";
const SHOW_CURSOR = "\u001b[?25h";
const CLEAR_LINE = "\u001b[K";
const CLEAR_BELOW = "\u001b[J";

/** Draws below what is already there and leaves the last view standing. Times are renewed every second. */
export function openScreen(context: Pick<Context, "look">, out: NodeJS.WriteStream = process.stdout): Screen {
  let watched: Watched | null = null;
  let drawn = 0;
  const draw = () => {
    if (watched === null) return;
    // What does not fit would scroll, and could not be drawn over.
    const lines = viewOf(watched, context.look(out)).slice(0, Math.max(1, (out.rows ?? 24) - 1));
    const up = drawn === 0 ? "" : `\u001b[${drawn}A`;
    const cut = lines.map((line) => `${fitted(line, out.columns ?? 80)}${CLEAR_LINE}`);
    out.write(`${up}\r${cut.join("\n")}\n${CLEAR_BELOW}`);
    drawn = lines.length;
  };
  out.write(HIDE_CURSOR);
  const timer = setInterval(draw, TICK_MILLISECONDS);
  return {
    show: (next) => {
      watched = next;
      draw();
    },
    close: () => {
      clearInterval(timer);
      out.write(SHOW_CURSOR);
    },
  };
}

/** A line that wraps would count as two. Colours take no room, so only lines without any are cut to the column. */
function fitted(line: string, columns: number): string {
  const hasColours = line.includes("\u001b");
  return hasColours || line.length <= columns ? line : line.slice(0, columns);
}
