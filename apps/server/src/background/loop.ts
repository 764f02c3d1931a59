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
const REPORT_MILLISECONDS = 60_000;

/** Runs the job every second until nothing is due, never twice at once; a failure is logged and the next second tries
 *  again. */
export function startLoop(job: Job, log: Log): Loop {
  let last: Promise<RunResult> = Promise.resolve("idle");
  let waiting = 0;
  let isStopped = false;
  const report = reporter(job, log);
  const run = async (): Promise<RunResult> => {
    try {
      const result = (await job.run()) > 0 ? "busy" : "idle";
      report.done();
      return result;
    } catch (error) {
      report.failed(error);
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

/** An outage makes every job fail every second, which would bury everything else in the log: the same failure is told
 *  once a minute. */
function reporter({ name }: Job, log: Log) {
  let told = { message: "", until: 0 };
  return {
    done: () => {
      told = { message: "", until: 0 };
    },
    failed: (error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      if (message === told.message && performance.now() < told.until) return;
      told = { message, until: performance.now() + REPORT_MILLISECONDS };
      log.warn({ err: error, job: name }, "a background job did not finish; it runs again every second");
    },
  };
}
