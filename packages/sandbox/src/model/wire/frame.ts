import type { Settings } from "../settings.ts";

/** One step of a stream. A `token` frame carries exactly one token; the others carry none. */
export type Frame = { kind: "open" | "token" | "close"; text: string } | { kind: "cut" } | { kind: "hang" };

export function sse(json: string): string {
  return `data: ${json}\n\n`;
}

const garbage = 'data: {"id":"chatcmpl-broken","choices":[{"index":0,"delta":{"content":\n\n';
const serverError = sse(
  JSON.stringify({
    error: {
      message: "The server had an error while processing your request.",
      type: "server_error",
      param: null,
      code: null,
    },
  }),
);

/** Puts the faults of a stream where they were asked for, counted in tokens sent. A fault that lies beyond the
 *  end of the answer never happens. */
export function* withStreamFaults(frames: Iterable<Frame>, settings: Settings): Generator<Frame> {
  let sent = 0;
  let garbageDue = settings.malformedAfterTokens !== undefined;
  for (const frame of frames) {
    if (frame.kind !== "open") {
      if (garbageDue && sent === settings.malformedAfterTokens) {
        garbageDue = false;
        yield { kind: "close", text: garbage };
      }
      const ending = endingAt(sent, settings);
      if (ending) {
        yield ending;
        return;
      }
    }
    yield frame;
    if (frame.kind === "token") sent += 1;
  }
}

function endingAt(sent: number, settings: Settings): Frame | undefined {
  if (sent === settings.errorAfterTokens) return { kind: "close", text: serverError };
  if (sent === settings.cutAfterTokens) return { kind: "cut" };
  if (sent === settings.hangAfterTokens) return { kind: "hang" };
  return undefined;
}
