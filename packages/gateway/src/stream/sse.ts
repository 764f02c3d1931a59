/** What arrived of a server-sent event stream, cut into events. Works on text and copies nothing twice. */
export interface SseEvent {
  /** The joined `data:` lines; null for a comment, which providers send to keep a connection alive. */
  readonly data: string | null;
}

export interface SseSplitter {
  /** The events that this text completes. */
  push(text: string): SseEvent[];
  /** Characters that wait for the rest of their event. */
  readonly pending: number;
}

const COMMENT: SseEvent = { data: null };

export function openSplitter(): SseSplitter {
  let rest = "";
  let isBegun = false;
  return {
    push: (text) => {
      rest += isBegun ? text : withoutMark(text);
      isBegun ||= text !== "";
      // CR is rare; one at the very end may have its LF still to come.
      if (rest.includes("\r")) rest = rest.replace(/\r\n|\r(?!$)/g, "\n");
      const events: SseEvent[] = [];
      let start = 0;
      for (let end = rest.indexOf("\n\n"); end !== -1; end = rest.indexOf("\n\n", start)) {
        if (end > start) events.push(eventOf(rest.slice(start, end)));
        start = end + 2;
      }
      rest = rest.slice(start);
      return events;
    },
    get pending() {
      return rest.length;
    },
  };
}

/** A stream may begin with a byte order mark, which is none of it. */
function withoutMark(text: string): string {
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
}

/** Nearly every event is one line that begins with `data: `. */
function eventOf(block: string): SseEvent {
  if (block.startsWith("data: ") && !block.includes("\n")) return { data: block.slice(6) };
  const lines = block.split("\n").filter((line) => line.startsWith("data:"));
  if (lines.length === 0) return COMMENT;
  return { data: lines.map((line) => line.slice(line[5] === " " ? 6 : 5)).join("\n") };
}

export function sse(data: string): string {
  return `data: ${data.includes("\n") ? data.replaceAll("\n", "\ndata: ") : data}\n\n`;
}

export const DONE = sse("[DONE]");
export const KEEP_ALIVE = ": keep-alive\n\n";
