/** What arrived of a server-sent event stream, cut into events. Works on text, and looks at none of it twice: an event may
 *  be a picture of megabytes that comes in a thousand pieces. */
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
  /** Of the event that is under way: without ends of lines at its end, whose meaning what follows decides. */
  let begun = "";
  let lineEnd = "";
  let isFirst = true;
  return {
    push: (piece) => {
      let text = lineEnd + (isFirst ? withoutMark(piece) : piece);
      isFirst &&= piece === "";
      // CR is rare; one at the very end may have its LF still to come.
      const cr = text.endsWith("\r") ? "\r" : "";
      if (text.includes("\r")) text = text.slice(0, text.length - cr.length).replace(/\r\n?/g, "\n");
      const events: SseEvent[] = [];
      let start = 0;
      for (let end = text.indexOf("\n\n"); end !== -1; end = text.indexOf("\n\n", start)) {
        begun += text.slice(start, end);
        if (begun !== "") events.push(eventOf(begun));
        begun = "";
        start = end + 2;
      }
      const end = text.length > start && text.endsWith("\n") ? text.length - 1 : text.length;
      begun += text.slice(start, end);
      lineEnd = text.slice(end) + cr;
      return events;
    },
    get pending() {
      return begun.length + lineEnd.length;
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
