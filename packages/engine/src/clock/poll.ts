import type { Log } from "@bursar/database/log";

export interface Polling {
  readonly everyMilliseconds: number;
  readonly log: Pick<Log, "warn">;
  /** Logged once for any number of failures in a row. */
  readonly complaint: string;
}

/** One question at a time, and none that would keep the process alive. */
export function startPolling(
  ask: () => Promise<void>,
  { everyMilliseconds, log, complaint }: Polling,
): { stop(): Promise<void> } {
  let asking: Promise<void> | null = null;
  let isReported = false;
  const askOnce = async () => {
    try {
      await ask();
      isReported = false;
    } catch (error) {
      if (!isReported) log.warn({ err: error }, complaint);
      isReported = true;
    }
    asking = null;
  };
  const timer = setInterval(() => {
    asking ??= askOnce();
  }, everyMilliseconds).unref();
  return {
    stop: async () => {
      clearInterval(timer);
      await asking;
    },
  };
}
