/** A header tells whole seconds, and an answer is on its way for a while. */
const TOLERANCE_MILLISECONDS = 60_000;

const PATIENCE_MILLISECONDS = 5000;

export interface ServerTime {
  /** Sees what time the server's answers tell. */
  readonly fetch: typeof globalThis.fetch;
  /** The server's time since its first answer, and this machine's until then. */
  now(): number;
  /** Asks that server for its time. Without an answer this machine's must do. */
  learn(url: string): Promise<void>;
}

/** A sandbox's time is moved, and this machine's may be wrong: "in 3 days" is meant by the clock that counts. */
export function openServerTime(): ServerTime {
  let aheadMilliseconds = 0;
  const fetch: typeof globalThis.fetch = async (...request) => {
    const response = await globalThis.fetch(...request);
    const ahead = Date.parse(response.headers.get("date") ?? "") - Date.now();
    if (!Number.isNaN(ahead)) aheadMilliseconds = Math.abs(ahead) > TOLERANCE_MILLISECONDS ? ahead : 0;
    return response;
  };
  return {
    fetch,
    now: () => Date.now() + aheadMilliseconds,
    learn: async (url) => {
      await fetch(new URL("/health", url), {
        method: "HEAD",
        signal: AbortSignal.timeout(PATIENCE_MILLISECONDS),
      }).catch(() => undefined);
    },
  };
}
