import { setTimeout } from "node:timers/promises";

/** How a request ended; `open` while it is still being answered. */
export type RequestOutcome = "open" | "answered" | "client_gone" | "cut" | "server_closed";

export interface RequestEntry {
  number: number;
  requestId: string;
  startedAt: Date;
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
  /** Resolves with the first request that fits, now or within `timeoutMs`.
   *  Throws: nothing fitted in time. */
  waitFor(fits: (entry: RequestEntry) => boolean, timeoutMs?: number): Promise<RequestEntry>;
}

export interface WritableRequestLog extends RequestLog {
  open(first: FirstFacts): RequestEntry;
}

type FirstFacts = Pick<RequestEntry, "requestId" | "method" | "path" | "headers">;

const maximumEntries = 1000;

/** The last 1,000 requests, oldest first. Bounded, because a benchmark sends millions. */
export function createRequestLog(): WritableRequestLog {
  let entries: RequestEntry[] = [];
  let number = 0;
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
      return entry;
    },
    waitFor: (fits, timeoutMs = 5000) => poll(() => entries.find(fits), timeoutMs),
  };
}

function newEntry(number: number, first: FirstFacts): RequestEntry {
  return {
    number,
    ...first,
    startedAt: new Date(),
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

/** Entries change with every token, so looking again beats being told. */
async function poll(find: () => RequestEntry | undefined, timeoutMs: number): Promise<RequestEntry> {
  const giveUpAt = performance.now() + timeoutMs;
  while (performance.now() < giveUpAt) {
    const entry = find();
    if (entry) return entry;
    await setTimeout(5);
  }
  throw new Error(`No request fitted within ${timeoutMs} ms.`);
}
