import { spawn } from "node:child_process";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { Launcher, query } from "./testing/launcher.ts";
import { canSeeProcesses, isAlive, killHard, untilGone } from "./testing/processes.ts";

const launcher = new Launcher();

if (!canSeeProcesses) console.log("skipping the launcher's tests of kill -9: there is no /proc");

describe.runIf(canSeeProcesses)("kill -9", () => {
  beforeEach(() => launcher.useInitializedFolder());

  const insert = "create table note as select 'committed' as body";
  const read = "select body from note";

  it("of the owner ends Postgres too, and nothing is lost", async () => {
    const { child, url, pid, supervisorPid } = await launcher.startProgram();
    await query(url, insert);
    killHard(child.pid);
    await untilGone(pid, supervisorPid);
    expect(await query((await launcher.start()).url, read)).toEqual([{ body: "committed" }]);
  });

  it("of the owner does not keep a successor waiting", async () => {
    const { child, url } = await launcher.startProgram();
    await query(url, insert);
    killHard(child.pid);
    await untilGone(child.pid!);
    expect(await query((await launcher.start()).url, read)).toEqual([{ body: "committed" }]);
  });

  it("of owner and supervisor leaves a Postgres that the next start stops first", async () => {
    const { child, url, pid, supervisorPid } = await launcher.startProgram();
    await query(url, insert);
    process.kill(supervisorPid, "SIGSTOP");
    killHard(supervisorPid, child.pid);
    await untilGone(child.pid!, supervisorPid);
    const next = await launcher.start();
    expect(next.pid).not.toBe(pid);
    expect(await isAlive(pid)).toBe(false);
    expect(await query(next.url, read)).toEqual([{ body: "committed" }]);
  });

  it("of everything is recovered from", async () => {
    const { child, url, pid, supervisorPid } = await launcher.startProgram();
    await query(url, insert);
    killHard(pid, supervisorPid, child.pid);
    await untilGone(pid, supervisorPid, child.pid!);
    expect(await query((await launcher.start()).url, read)).toEqual([{ body: "committed" }]);
  });

  it("of everything is recovered from even if another process has got Postgres's id since", async () => {
    const { child, url, pid, supervisorPid } = await launcher.startProgram();
    await query(url, insert);
    killHard(pid, supervisorPid, child.pid);
    await untilGone(pid, supervisorPid, child.pid!);
    const stranger = spawn("sleep", ["60"], { stdio: "ignore", ...(await ownerOf(launcher.dataDir)) });
    launcher.endAfterwards(stranger);
    const lockFile = join(launcher.dataDir, "cluster", "postmaster.pid");
    const content = await readFile(lockFile, "utf8");
    await writeFile(lockFile, content.replace(/^\d+/, String(stranger.pid)));
    expect(await query((await launcher.start()).url, read)).toEqual([{ body: "committed" }]);
    expect(await isAlive(stranger.pid!)).toBe(true);
  });

  it("of the owner of a temporary cluster leaves no folder", async () => {
    const { child, pid, supervisorPid } = await launcher.startProgram({ mode: "temporary" });
    killHard(child.pid);
    await untilGone(pid, supervisorPid);
    // What can remain is the empty folder itself, where its parent is not the runner's to change.
    expect(await readdir(launcher.dataDir).catch(() => [])).toEqual([]);
  });
});

async function ownerOf(path: string): Promise<{ uid?: number; gid?: number }> {
  const { uid, gid } = await stat(path);
  return process.getuid?.() === 0 ? { uid, gid } : {};
}
