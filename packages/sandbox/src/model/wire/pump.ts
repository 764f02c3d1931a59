import { cut, type Exchange } from "./exchange.ts";
import type { Frame } from "./frame.ts";

/** Frames in one write when nothing paces them: few system calls, and an abort still stops within a batch. */
const framesPerWrite = 32;

const streamHeaders = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache",
} as const;

/** Sends frames as server-sent events, the first token at once and then one an interval. It stops reading frames
 *  as soon as the client leaves, and waits for a client that reads slowly.
 *  Callbacks instead of promises: a thousand streams cost one timer and one closure each. */
export function pump(exchange: Exchange, frames: Iterator<Frame>, intervalMs: number): void {
  const { response, entry } = exchange;
  let timer: NodeJS.Timeout | undefined;
  let immediate: NodeJS.Immediate | undefined;
  entry.status = 200;
  response.writeHead(200, streamHeaders);
  response.once("close", () => {
    clearTimeout(timer);
    clearImmediate(immediate);
  });

  function step(): void {
    if (response.destroyed) return;
    const batch = takeBatch(frames, intervalMs);
    const flowing = batch.text === "" || response.write(batch.text);
    entry.tokensSent += batch.tokens;
    entry.outputTokens += batch.tokens;
    if (batch.next === "cut") afterFlush(exchange, flowing);
    else if (batch.next === "end") response.end();
    else if (batch.next === "more" && !flowing) response.once("drain", step);
    else if (batch.next === "more") later();
  }

  function later(): void {
    if (intervalMs > 0) timer = setTimeout(step, intervalMs);
    else immediate = setImmediate(step);
  }

  step();
}

interface Batch {
  text: string;
  tokens: number;
  next: "more" | "end" | "cut" | "hang";
}

/** With an interval a batch ends with its token, so that everything around a token travels with it. */
function takeBatch(frames: Iterator<Frame>, intervalMs: number): Batch {
  const batch: Batch = { text: "", tokens: 0, next: "more" };
  for (let taken = 0; taken < framesPerWrite; taken += 1) {
    const { value: frame, done } = frames.next();
    if (done) return { ...batch, next: "end" };
    if (frame.kind === "cut" || frame.kind === "hang") return { ...batch, next: frame.kind };
    batch.text += frame.text;
    if (frame.kind !== "token") continue;
    batch.tokens += 1;
    if (intervalMs > 0) return batch;
  }
  return batch;
}

/** A cut comes after the promised tokens have left, or a test could not count on them. */
function afterFlush(exchange: Exchange, flowing: boolean): void {
  if (!flowing) exchange.response.once("drain", () => cut(exchange));
  else setImmediate(() => cut(exchange));
}
