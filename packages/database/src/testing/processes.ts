import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

/** Looking at other processes, for the launcher's tests. By /proc: small images have no `ps`. */
export const canSeeProcesses = process.platform === "linux";

const POLL_MILLISECONDS = 10;

export async function parentOf(pid: number): Promise<number> {
  return Number((await readStatus(pid)).get("PPid"));
}

/** A zombie, which only its parent could bury, has ended. */
export async function isAlive(pid: number): Promise<boolean> {
  const state = (await readStatus(pid)).get("State");
  return state !== undefined && !state.startsWith("Z");
}

export async function untilGone(...pids: number[]): Promise<void> {
  for (const pid of pids) while (await isAlive(pid)) await delay(POLL_MILLISECONDS);
}

export async function userOf(pid: number): Promise<number> {
  return Number.parseInt((await readStatus(pid)).get("Uid") ?? "", 10);
}

/** Those that have gone already, as with the one before them, are as dead as they should be. */
export function killHard(...pids: (number | undefined)[]): void {
  for (const pid of pids) {
    if (pid === undefined) continue;
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

async function readStatus(pid: number): Promise<Map<string, string>> {
  const text = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return new Map(text.split("\n").map((line) => [line.split(":")[0] ?? "", line.split("\t")[1] ?? ""]));
}

/** False where, for one, the repository is in a private home. */
export function canUserRunNode(uid: number): boolean {
  const program = ["-e", `await import(${JSON.stringify(import.meta.filename)})`];
  return spawnSync(process.execPath, program, { uid, gid: uid, cwd: "/" }).status === 0;
}
