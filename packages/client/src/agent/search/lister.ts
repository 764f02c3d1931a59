import { parentPort, workerData } from "node:worker_threads";
import picomatch from "picomatch";
import type { Listed, Listing } from "./list.ts";
import { walk } from "./walk.ts";

/** Runs in a thread of its own: a glob can take for ever on a path, and then the thread is ended. */
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort?.postMessage(await list(workerData as Listing));

async function list({ root, glob, maxResults }: Listing): Promise<Listed> {
  const matches = picomatch(glob.replace(/^\.\//, ""), { dot: true, basename: !glob.includes("/") });
  const paths: string[] = [];
  for await (const path of walk(root, ".", new AbortController().signal)) {
    if (!matches(path)) continue;
    if (paths.length === maxResults) return { kind: "listed", paths, isCut: true };
    paths.push(path);
  }
  return { kind: "listed", paths, isCut: false };
}
