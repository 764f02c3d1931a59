import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import type { Answer, Job } from "./load-worker.ts";

export interface Worker {
  readonly process: ChildProcess;
  /** What it has heard and told so far. */
  readonly answers: Answer[];
  /** Its end, however it comes about. */
  readonly ended: Promise<number | null>;
}

export function startWorker(job: Job, onAnswer: (worker: Worker) => void = () => undefined): Worker {
  const child = fork(join(import.meta.dirname, "load-worker.ts"), {
    serialization: "advanced",
    execArgv: [],
    env: { ...process.env, NODE_OPTIONS: "", BURSAR_LOAD_WORKER: "1" },
  });
  const answers: Answer[] = [];
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const worker = { process: child, answers, ended };
  child.on("message", (answer) => {
    answers.push(answer as Answer);
    onAnswer(worker);
  });
  child.send(job);
  return worker;
}
