const KEEP_ALIVE_MILLISECONDS = 15_000;
/** Whoever reads slower than this is behind for good. */
const MOST_WAITING = 1000;

export interface EventStream {
  readonly response: Response;
  /** Sends one event under its name. */
  send(name: string, data: object): void;
  end(): void;
}

/** An answer in server-sent events. `onLeave` is called when the other side has gone, or does not read. */
export function openEventStream(onLeave: () => void): EventStream {
  const encoder = new TextEncoder();
  let controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  const stop = () => {
    clearInterval(keepAlive);
    controller = null;
  };
  const leave = () => {
    if (controller === null) return;
    stop();
    onLeave();
  };
  const write = (text: string) => {
    if (controller === null) return;
    if ((controller.desiredSize ?? 0) < -MOST_WAITING) {
      controller.error(new Error("the other side does not read"));
      return leave();
    }
    controller.enqueue(encoder.encode(text));
  };
  const body = new ReadableStream<Uint8Array>({
    start: (opened) => {
      controller = opened;
    },
    cancel: leave,
  });
  const keepAlive = setInterval(() => write(": keep-alive\n\n"), KEEP_ALIVE_MILLISECONDS).unref();
  const headers = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
  };
  return {
    response: new Response(body, { headers }),
    send: (name, data) => write(`event: ${name}\ndata: ${JSON.stringify({ type: name, ...data })}\n\n`),
    end: () => {
      const open = controller;
      stop();
      open?.close();
    },
  };
}
