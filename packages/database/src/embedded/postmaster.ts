import { execFile } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import type { Log } from "../log.ts";
import { type Folder, SOCKET_NAME } from "./folder.ts";

const POLL_MILLISECONDS = 10;
const READY_STATUS = "ready";
/** Above every process id there can be. */
const NO_PROCESS = "999999999";

/** How long each, ever harsher, request to stop gets. SIGINT: roll back, write a checkpoint, end. SIGQUIT: end now
 *  and recover at the next start; what was acknowledged stays. */
const STOP_STEPS = [
  { signal: "SIGINT", seconds: 15 },
  { signal: "SIGQUIT", seconds: 6 },
  { signal: "SIGKILL", seconds: 2 },
] as const;

/** True once this very postmaster accepts connections; its lock file says so in line 8. */
export async function isReady(cluster: string, pid: number): Promise<boolean> {
  const lines = await readLockFile(cluster);
  return lines[0] === String(pid) && lines[7]?.trim() === READY_STATUS;
}

/** Makes sure that no Postgres runs in the folder, after its owner is known to be gone. One that still runs is
 *  stopped, not adopted: its log, its supervisor and perhaps its settings and version are those of the past.
 *  Throws: it cannot be stopped. */
export async function endLeftover(folder: Folder, log: Log): Promise<void> {
  const pid = Number((await readLockFile(folder.cluster))[0]);
  if (!(pid > 0)) return;
  if (await isPostmaster(pid, folder.cluster)) {
    log.warn({ pid, folder: folder.root }, "stopping a Postgres whose owner has died");
    await stopPostmaster(pid, folder.cluster);
  }
  await disownLockFiles(folder);
}

/** Throws: it lives on after all of STOP_STEPS. */
export async function stopPostmaster(pid: number, cluster: string): Promise<void> {
  for (const { signal, seconds } of STOP_STEPS) {
    if (!(await isPostmaster(pid, cluster))) return;
    sendSignal(pid, signal);
    if (await isGone(pid, cluster, seconds)) return;
  }
  throw new Error(`Postgres (process ${pid}) on ${cluster} cannot be stopped`);
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    const hasJustEnded = error instanceof Error && "code" in error && error.code === "ESRCH";
    if (!hasJustEnded) throw error;
  }
}

async function isGone(pid: number, cluster: string, seconds: number): Promise<boolean> {
  const deadline = Date.now() + seconds * 1000;
  while (Date.now() < deadline) {
    if (!(await isPostmaster(pid, cluster))) return true;
    await delay(POLL_MILLISECONDS);
  }
  return false;
}

/** A process id alone proves nothing: in a restarted container it soon belongs to something else. */
async function isPostmaster(pid: number, cluster: string): Promise<boolean> {
  return (await commandLine(pid)).includes(cluster);
}

async function commandLine(pid: number): Promise<string> {
  try {
    if (process.platform === "linux") return await readFile(`/proc/${pid}/cmdline`, "utf8");
    return (await promisify(execFile)("ps", ["-ww", "-o", "command=", "-p", String(pid)])).stdout;
  } catch {
    return "";
  }
}

/** Postgres refuses to start while the process id in a stale lock file is anybody's of the same user, even a zombie's.
 *  In the cluster's lock file only that line is replaced: by the others Postgres finds out whether orphaned backends
 *  still use the shared memory. */
async function disownLockFiles({ cluster, socketDirectory }: Folder): Promise<void> {
  await rm(join(socketDirectory, `${SOCKET_NAME}.lock`), { force: true });
  const [, ...rest] = await readLockFile(cluster);
  if (rest.length > 0) await writeFile(lockFile(cluster), [NO_PROCESS, ...rest].join("\n"));
}

async function readLockFile(cluster: string): Promise<string[]> {
  try {
    return (await readFile(lockFile(cluster), "utf8")).split("\n");
  } catch {
    return [];
  }
}

function lockFile(cluster: string): string {
  return join(cluster, "postmaster.pid");
}
