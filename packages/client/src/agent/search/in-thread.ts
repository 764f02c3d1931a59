import { Worker } from "node:worker_threads";
import type { Found, Search } from "./search.ts";

/** The project's own search, where there is no ripgrep. Ends with the signal, also in the middle of a line. */
export async function searchInThread(search: Search, signal: AbortSignal): Promise<Found> {
  const thread = new Worker(new URL("./walker.ts", import.meta.url), { workerData: search });
  const { promise, resolve } = Promise.withResolvers<Found>();
  const stop = () => resolve({ kind: "failed", message: "The search was stopped" });
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  thread.on("message", (found: Found) => resolve(found));
  thread.on("error", (error) => resolve({ kind: "failed", message: String(error) }));
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", stop);
    await thread.terminate();
  }
}
