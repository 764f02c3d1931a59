import { sleep } from "./retry.ts";
import { unreachable } from "./silence.ts";

export interface WaitOptions {
  /** Default 30 s. */
  readonly timeoutMilliseconds?: number;
  readonly signal?: AbortSignal;
}

const PAUSE_MILLISECONDS = 50;

/** Asks whether the server is ready, which needs no key, until it is. */
export async function waitUntilReady(
  fetch: typeof globalThis.fetch,
  url: string,
  options: WaitOptions,
): Promise<void> {
  const timeout = AbortSignal.timeout(options.timeoutMilliseconds ?? 30_000);
  const signal = options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]);
  let last: unknown = timeout.reason;
  while (!signal.aborted) {
    try {
      const response = await fetch(`${url}/ready`, { signal });
      await response.body?.cancel();
      if (response.ok) return;
      last = new Error(`${url}/ready answered ${response.status}`);
    } catch (error) {
      if (!signal.aborted) last = error;
    }
    await sleep(PAUSE_MILLISECONDS, signal).catch(() => undefined);
  }
  options.signal?.throwIfAborted();
  throw unreachable(url, last ?? timeout.reason);
}
