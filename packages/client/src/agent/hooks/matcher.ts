import { parentPort, workerData } from "node:worker_threads";
import picomatch from "picomatch";
import type { Matched, Matching } from "./match.ts";

/** Runs in a thread of its own: a glob can take for ever on a path, and then the thread is ended. */
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort?.postMessage(matched(workerData as Matching));

/** The hooks that are on and match at least one of the files. Without files none does. */
function matched({ hooks, paths }: Matching): Matched {
  const wanted = hooks.filter(({ enabled, filePattern }) => {
    if (!enabled || paths.length === 0) return false;
    if (filePattern === undefined) return true;
    const matches = picomatch(filePattern.replace(/^\.\//, ""), { dot: true });
    return paths.some((path) => matches(path));
  });
  return { kind: "matched", hooks: wanted };
}
