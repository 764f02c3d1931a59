import { Worker } from "node:worker_threads";

export interface ThreadFailed {
  readonly kind: "failed";
  readonly message: string;
}

/** Has a file of ours work in a thread of its own, for a pattern that somebody else has made can take for ever. Ends
 *  with the signal, also in the middle of a match. The file posts its answer. */
export async function inThread<Answer>(
  file: URL,
  workerData: unknown,
  signal: AbortSignal,
): Promise<Answer | ThreadFailed> {
  const thread = new Worker(file, { workerData });
  const { promise, resolve } = Promise.withResolvers<Answer | ThreadFailed>();
  const stop = () => resolve({ kind: "failed", message: "It was stopped, because no answer came in time" });
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  thread.on("message", (answer: Answer) => resolve(answer));
  thread.on("error", (error) => resolve({ kind: "failed", message: String(error) }));
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", stop);
    await thread.terminate();
  }
}
