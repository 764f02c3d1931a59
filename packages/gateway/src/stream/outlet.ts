/** Where a stream's text goes on its way to the client. */
export interface Outlet {
  readonly body: ReadableStream<Uint8Array>;
  /** The client reads more slowly than the model writes. */
  readonly isFull: boolean;
  write(text: string): void;
  end(): void;
}

export interface OutletListener {
  /** There is room again. */
  onDrain(): void;
  /** The client has left. */
  onGone(): void;
}

/** About a minute of a model's writing; small enough for a thousand clients that do not read. */
const BUFFER_BYTES = 64 * 1024;

export function openOutlet(listener: OutletListener): Outlet {
  let controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  const body = new ReadableStream<Uint8Array>(
    {
      start: (opened) => {
        controller = opened;
      },
      pull: () => listener.onDrain(),
      cancel: () => {
        controller = null;
        listener.onGone();
      },
    },
    { highWaterMark: BUFFER_BYTES, size: (chunk) => chunk.byteLength },
  );
  return {
    body,
    get isFull() {
      return (controller?.desiredSize ?? 1) <= 0;
    },
    write: (text) => controller?.enqueue(Buffer.from(text)),
    end: () => {
      controller?.close();
      controller = null;
    },
  };
}
