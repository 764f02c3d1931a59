import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "@bursar/engine/deps";
import type { Job } from "./job.ts";

type RunResult = "busy" | "idle" | "failed";

export interface Loop {
  /** Waits for a run that is under way, then runs once more. */
  runNow(): Promise<RunResult>;
  stop(): Promise<void>;
}

const PERIOD_MILLISECONDS = 1_000;
const GRACE_MILLISECONDS = 10_000;

/** Runs the job every second until nothing is due, never twice at once; a failure is logged and the next second tries
 *  again. */
export function startLoop(job: Job, log: Log): Loop {
  let last: Promise<RunResult> = Promise.resolve("idle");
  let waiting = 0;
  let isStopped = false;
  const run = async (): Promise<RunResult> => {
    try {
      return (await job.run()) > 0 ? "busy" : "idle";
    } catch (error) {
      log.warn({ err: error, job: job.name }, "a background job did not finish; it runs again in a second");
      return "failed";
    } finally {
      waiting--;
    }
  };
  const runNow = () => {
    waiting++;
    last = last.then(run);
    return last;
  };
  const runUntilIdle = async () => {
    while ((await runNow()) === "busy" && !isStopped);
  };
  const timer = setInterval(() => {
    if (waiting === 0) void runUntilIdle();
  }, PERIOD_MILLISECONDS).unref();
  return {
    runNow,
    stop: async () => {
      isStopped = true;
      clearInterval(timer);
      await Promise.race([last, delay(GRACE_MILLISECONDS, undefined, { ref: false })]);
    },
  };
}
