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
  let last = "";
  const draw = () => {
    if (watched === null) return;
    // What does not fit would scroll, and could not be drawn over.
    const lines = viewOf(watched, context.look(out)).slice(0, Math.max(1, (out.rows ?? 24) - 1));
    const up = drawn === 0 ? "" : `\u001b[${drawn}A`;
    const columns = out.columns ?? 80;
    const view = lines.map((line) => `${fitted(line, columns)}${CLEAR_LINE}`).join("\n");
    if (view === last) return;
    out.write(`${up}\r${view}\n${CLEAR_BELOW}`);
    drawn = lines.length;
    last = view;
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

/** A line that wraps would count as two. Colours take no room and are all kept, so that each one ends. */
export function fitted(line: string, columns: number): string {
  let room = columns;
  return line.replace(COLOUR_OR_CHARACTER, (part) => {
    if (part.startsWith("\u001b")) return part;
    room -= 1;
    return room < 0 ? "" : part;
  });
}

const COLOUR_OR_CHARACTER = /\p{Cc}\[[0-9;]*m|./gu;
