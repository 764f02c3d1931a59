/** How a request ended; `open` while it is still being answered. */
export type RequestOutcome = "open" | "answered" | "client_gone" | "cut" | "server_closed";

export interface RequestEntry {
  number: number;
  requestId: string;
  startedAt: string;
  durationMs: number | null;
  method: string;
  path: string;
  model: string | null;
  stream: boolean;
  headers: Record<string, string>;
  /** The parsed body, up to 64 KiB of it, so that a test sees what the gateway added. */
  body: unknown;
  status: number | null;
  outcome: RequestOutcome;
  promptTokens: number;
  cachedTokens: number;
  /** What a provider would bill so far, reasoning included; a lying `usage` does not change it. */
  outputTokens: number;
  /** Tokens handed to the socket before the answer ended or the client left. */
  tokensSent: number;
}

export interface RequestLog {
  list(): readonly RequestEntry[];
  clear(): void;
  /** Resolves with the first request that fits, looking again at each change.
   *  Throws: nothing fitted in time. */
  waitFor(fits: (entry: RequestEntry) => boolean, timeoutMs?: number): Promise<RequestEntry>;
}

export interface WritableRequestLog extends RequestLog {
  open(first: Pick<RequestEntry, "requestId" | "method" | "path" | "headers">): RequestEntry;
  /** Tells those who wait that an entry was written to. */
  changed(): void;
}

const maximumEntries = 1000;

/** The last 1,000 requests, oldest first. Bounded, because a benchmark sends millions. */
export function createRequestLog(): WritableRequestLog {
  let entries: RequestEntry[] = [];
  let number = 0;
  const watchers = new Set<() => void>();
  const changed = () => watchers.forEach((watch) => watch());
  return {
    list: () => entries.slice(-maximumEntries),
    clear() {
      entries = [];
    },
    open(first) {
      number += 1;
      const entry = newEntry(number, first);
      entries.push(entry);
      if (entries.length > maximumEntries * 2) entries = entries.slice(-maximumEntries);
      changed();
      return entry;
    },
    changed,
    waitFor: (fits, timeoutMs = 5000) => waitForEntry(() => entries.find(fits), watchers, timeoutMs),
  };
}

function newEntry(
  number: number,
  first: Pick<RequestEntry, "requestId" | "method" | "path" | "headers">,
): RequestEntry {
  return {
    number,
    ...first,
    startedAt: new Date().toISOString(),
    durationMs: null,
    model: null,
    stream: false,
    body: null,
    status: null,
    outcome: "open",
    promptTokens: 0,
    cachedTokens: 0,
    outputTokens: 0,
    tokensSent: 0,
  };
}

function waitForEntry(
  find: () => RequestEntry | undefined,
  watchers: Set<() => void>,
  timeoutMs: number,
): Promise<RequestEntry> {
  const { promise, resolve, reject } = Promise.withResolvers<RequestEntry>();
  const timer = setTimeout(() => {
    watchers.delete(look);
    reject(new Error(`No request fitted within ${timeoutMs} ms.`));
  }, timeoutMs);
  function look() {
    const entry = find();
    if (!entry) return;
    clearTimeout(timer);
    watchers.delete(look);
    resolve(entry);
  }
  watchers.add(look);
  look();
  return promise;
}
