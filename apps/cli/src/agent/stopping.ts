import { Failure } from "../failure.ts";

/** How a run is stopped: asked to once, it is called off and its end is waited for; asked again, or when this process
 *  is told to end, the end is not waited for much longer. */
export interface Stopping extends Disposable {
  /** Aborted when the run is to be called off. */
  readonly signal: AbortSignal;
  /** Rejects when its end is waited for no longer. */
  readonly left: Promise<never>;
  /** True when the process was told to end. */
  readonly isTold: boolean;
  stop(): void;
}

/** Keys that are pressed twice in a row are pressed once. */
const AGAIN_MILLISECONDS = 1000;
const REMINDER_MILLISECONDS = 2000;
const GOODBYE_MILLISECONDS = 3000;
/** The process is to end, or its terminal has gone. */
const TOLD = ["SIGTERM", "SIGHUP"] as const;

export function openStopping(say: (text: string) => void): Stopping {
  const cancel = new AbortController();
  const left = Promise.withResolvers<never>();
  left.promise.catch(() => undefined);
  const timers: NodeJS.Timeout[] = [];
  const after = (milliseconds: number, work: () => void) => void timers.push(setTimeout(work, milliseconds));
  const leave = () => left.reject(new Failure("interrupted", "interrupted", LEFT, LEFT_HINTS));
  let stoppedAt = 0;
  let isTold = false;
  const stop = () => {
    const now = performance.now();
    if (cancel.signal.aborted) return now - stoppedAt > AGAIN_MILLISECONDS ? leave() : undefined;
    stoppedAt = now;
    cancel.abort();
    after(REMINDER_MILLISECONDS, () => say("The server has not answered yet. Ctrl-C leaves at once."));
  };
  const tell = () => {
    isTold = true;
    stop();
    after(GOODBYE_MILLISECONDS, leave);
  };
  process.on("SIGINT", stop);
  for (const name of TOLD) process.on(name, tell);
  return {
    signal: cancel.signal,
    left: left.promise,
    get isTold() {
      return isTold;
    },
    stop,
    [Symbol.dispose]: () => {
      for (const timer of timers) clearTimeout(timer);
      process.off("SIGINT", stop);
      for (const name of TOLD) process.off(name, tell);
    },
  };
}

const LEFT = "Left before the server had said that the run has ended.";
const LEFT_HINTS = ["What the run does until the server hears of it is billed: bursar entries shows it."];
