import { type ChildProcess, execFile, spawn } from "node:child_process";
import { chmod, chown, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connectionOptions } from "./connection.ts";
import { findBinaries } from "./embedded/binaries.ts";
import { openFolder } from "./embedded/folder.ts";
import { chooseIdentity } from "./embedded/identity.ts";
import { THROWAWAY_SETTINGS } from "./embedded/settings.ts";
import { type EmbeddedPostgres, type EmbeddedRequest, startEmbeddedPostgres } from "./embedded.ts";
import { silentLog } from "./log.ts";

const PROGRAM = join(import.meta.dirname, "testing/embedded-process.ts");
const isRoot = process.getuid?.() === 0;
const NOBODY = 65534;

let parent: string;
let dataDir: string;
const running: EmbeddedPostgres[] = [];
const programs: ChildProcess[] = [];

/** Saves most tests the second that an initialisation takes. */
let initialized: string;

beforeAll(async () => {
  initialized = join(await mkdtemp(join(tmpdir(), "bursar-launcher-")), "postgres");
  const postgres = await startEmbeddedPostgres({ dataDir: initialized, settings: THROWAWAY_SETTINGS });
  await postgres.stop();
});

afterAll(() => rm(dirname(initialized), { recursive: true }));

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "bursar-launcher-"));
  await chmod(parent, 0o755);
  dataDir = join(parent, "postgres");
});

const useInitializedFolder = () => promisify(execFile)("cp", ["-a", initialized, dataDir]);

afterEach(async () => {
  for (const program of programs.splice(0)) program.kill("SIGKILL");
  for (const postgres of running.splice(0)) await postgres.stop();
  await rm(parent, { recursive: true, force: true, maxRetries: 20 });
});

async function start(request: Partial<EmbeddedRequest> = {}): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({ dataDir, settings: THROWAWAY_SETTINGS, ...request });
  running.push(postgres);
  return postgres;
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Client(connectionOptions({ url, applicationName: "test" }));
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Another process as the owner. */
async function startProgram(options: { mode?: string; uid?: number } = {}): Promise<Program> {
  const identity = options.uid === undefined ? {} : { uid: options.uid, gid: options.uid };
  const args = [PROGRAM, dataDir, options.mode ?? ""];
  const child = spawn(process.execPath, args, { cwd: "/", ...identity });
  let complaint = "";
  child.stderr.on("data", (chunk) => (complaint += String(chunk)));
  programs.push(child);
  for await (const line of child.stdout) {
    const { url, pid }: { url: string; pid: number } = JSON.parse(String(line));
    return { child, url, pid, supervisorPid: await parentOf(pid) };
  }
  throw new Error(complaint);
}

interface Program {
  readonly child: ChildProcess;
  readonly url: string;
  readonly pid: number;
  readonly supervisorPid: number;
}

async function parentOf(pid: number): Promise<number> {
  const { stdout } = await promisify(execFile)("ps", ["-o", "ppid=", "-p", String(pid)]);
  return Number(stdout);
}

async function isAlive(pid: number): Promise<boolean> {
  const { stdout } = await promisify(execFile)("ps", ["-o", "stat=", "-p", String(pid)]).catch(() => ({
    stdout: "Z",
  }));
  return !stdout.startsWith("Z");
}

async function untilGone(...pids: number[]): Promise<void> {
  for (const pid of pids) while (await isAlive(pid)) await delay(10);
}

const kill = (...pids: (number | undefined)[]) =>
  pids.forEach((pid) => process.kill(pid ?? Number.NaN, "SIGKILL"));

describe("embedded Postgres", () => {
  it("starts on a new folder, keeps its data over a restart, and leaves no process", async () => {
    const first = await start();
    const supervisorPid = await parentOf(first.pid);
    await query(first.url, "create table note as select 'kept' as body");
    await first.stop();
    await untilGone(first.pid, supervisorPid);
    const second = await start();
    expect(await query(second.url, "select body from note")).toEqual([{ body: "kept" }]);
  });

  it("sorts and encodes the same on every machine, and is durable unless told otherwise", async () => {
    const { url } = await start({ settings: {} });
    const sql = `select current_setting('server_encoding') as encoding, datlocale as locale,
      current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit,
      current_setting('data_checksums') as checksums, current_setting('listen_addresses') as addresses
      from pg_database where datname = current_database()`;
    expect(await query(url, sql)).toEqual([
      { encoding: "UTF8", locale: "C.UTF-8", fsync: "on", commit: "on", checksums: "on", addresses: "" },
    ]);
  });

  it("lets nobody in without the password, which only its owner can read", async () => {
    await useInitializedFolder();
    const { url, socketDirectory } = await start();
    await expect(query(url.replace(/postgres:[^@]+@/, "postgres:wrong@"), "select 1")).rejects.toThrow(
      "password authentication failed",
    );
    expect((await stat(join(dataDir, "password"))).mode & 0o777).toBe(0o600);
    expect((await stat(socketDirectory)).mode & 0o777).toBe(0o700);
  });

  it("uses a socket elsewhere when the folder's path is too long for one", async () => {
    dataDir = join(parent, "long".repeat(40));
    await useInitializedFolder();
    const postgres = await start();
    expect(postgres.socketDirectory.length).toBeLessThan(80);
    expect(await query(postgres.url, "select 1 as n")).toEqual([{ n: 1 }]);
    await postgres.stop();
    await expect(stat(postgres.socketDirectory)).rejects.toThrow("ENOENT");
  });

  it("says why Postgres did not start", async () => {
    await useInitializedFolder();
    await expect(start({ settings: { shared_buffers: "much" } })).rejects.toThrow(
      'invalid value for parameter "shared_buffers": "much"',
    );
  });

  it("refuses a folder that holds something else", async () => {
    await writeFile(join(parent, "diary.txt"), "dear diary");
    await expect(start({ dataDir: parent })).rejects.toThrow("neither empty nor a data folder");
  });

  it("starts after an initialisation that was cut off", async () => {
    await mkdir(join(dataDir, "cluster.unfinished-1", "base"), { recursive: true });
    await writeFile(join(dataDir, "password"), "of the first attempt");
    const { url } = await start();
    expect(await query(url, "select 1 as n")).toEqual([{ n: 1 }]);
    expect(await readdir(dataDir)).not.toContain("cluster.unfinished-1");
  });

  it("reports an end that nobody asked for", async () => {
    await useInitializedFolder();
    const reported = Promise.withResolvers<string>();
    const error = (_: object, message: string) => reported.resolve(message);
    const { pid } = await start({ log: { ...silentLog, error } });
    kill(pid);
    expect(await reported.promise).toBe("embedded Postgres ended by itself");
  });
});

describe("a second start on one folder", () => {
  it("is refused while the first owner lives, naming it", async () => {
    await useInitializedFolder();
    const { child } = await startProgram();
    await expect(start()).rejects.toThrow(`is held by process ${child.pid}`);
  });

  it("is refused when both start at the same time on a new folder", async () => {
    const results = await Promise.allSettled([start(), start(), start()]);
    expect(results.filter((result) => result.status === "fulfilled")).toHaveLength(1);
  });

  it("is welcome after the first was stopped", async () => {
    await useInitializedFolder();
    const { child, pid } = await startProgram();
    child.stdin?.end();
    await untilGone(pid, child.pid!);
    await start();
  });
});

describe("kill -9", () => {
  beforeEach(useInitializedFolder);

  const insert = "create table note as select 'committed' as body";
  const read = "select body from note";

  it("of the owner ends Postgres too, and nothing is lost", async () => {
    const { child, url, pid, supervisorPid } = await startProgram();
    await query(url, insert);
    kill(child.pid);
    await untilGone(pid, supervisorPid);
    expect(await query((await start()).url, read)).toEqual([{ body: "committed" }]);
  });

  it("of the owner does not keep a successor waiting", async () => {
    const { child, url } = await startProgram();
    await query(url, insert);
    kill(child.pid);
    await untilGone(child.pid!);
    expect(await query((await start()).url, read)).toEqual([{ body: "committed" }]);
  });

  it("of owner and supervisor leaves a Postgres that the next start stops first", async () => {
    const { child, url, pid, supervisorPid } = await startProgram();
    await query(url, insert);
    process.kill(supervisorPid, "SIGSTOP");
    kill(supervisorPid, child.pid);
    await untilGone(child.pid!, supervisorPid);
    const next = await start();
    expect(next.pid).not.toBe(pid);
    expect(await isAlive(pid)).toBe(false);
    expect(await query(next.url, read)).toEqual([{ body: "committed" }]);
  });

  it("of everything is recovered from", async () => {
    const { child, url, pid, supervisorPid } = await startProgram();
    await query(url, insert);
    kill(pid, supervisorPid, child.pid);
    await untilGone(pid, supervisorPid, child.pid!);
    expect(await query((await start()).url, read)).toEqual([{ body: "committed" }]);
  });

  it("of everything is recovered from even if another process has got Postgres's id since", async () => {
    const { child, url, pid, supervisorPid } = await startProgram();
    await query(url, insert);
    kill(pid, supervisorPid, child.pid);
    await untilGone(pid, supervisorPid, child.pid!);
    const stranger = spawn("sleep", ["60"], { stdio: "ignore", ...(await ownerOf(dataDir)) });
    programs.push(stranger);
    const lockFile = join(dataDir, "cluster", "postmaster.pid");
    const content = await readFile(lockFile, "utf8");
    await writeFile(lockFile, content.replace(/^\d+/, String(stranger.pid)));
    expect(await query((await start()).url, read)).toEqual([{ body: "committed" }]);
    expect(await isAlive(stranger.pid!)).toBe(true);
  });

  it("of the owner of a temporary cluster leaves no folder", async () => {
    const { child, pid, supervisorPid } = await startProgram({ mode: "temporary" });
    kill(child.pid);
    await untilGone(pid, supervisorPid);
    // What can remain is the empty folder itself, where its parent is not the runner's to change.
    expect(await readdir(dataDir).catch(() => [])).toEqual([]);
  });
});

async function ownerOf(path: string): Promise<{ uid?: number; gid?: number }> {
  const { uid, gid } = await stat(path);
  return isRoot ? { uid, gid } : {};
}

describe.runIf(isRoot)("as root (skipped for other users: only root can change users)", () => {
  it("runs as an unprivileged user", async () => {
    await useInitializedFolder();
    const { url, pid } = await start();
    expect((await stat(`/proc/${pid}`)).uid).not.toBe(0);
    expect(await query(url, "select 1 as n")).toEqual([{ n: 1 }]);
  });

  it("runs in a folder that only root may enter, and again when it has been opened", async () => {
    await chmod(parent, 0o700);
    const closed = await start();
    await query(closed.url, "create table note as select 'kept' as body");
    await closed.stop();
    await chmod(parent, 0o755);
    expect(await query((await start()).url, "select body from note")).toEqual([{ body: "kept" }]);
  });

  it("finds a way to run programs that only root may read", async () => {
    const native = dirname(dirname((await findBinaries()).postgres));
    await cp(native, join(parent, "native"), { recursive: true, verbatimSymlinks: true });
    await chmod(join(parent, "native"), 0o700);
    const bin = join(parent, "native", "bin");
    const binaries = { initdb: join(bin, "initdb"), postgres: join(bin, "postgres") };
    const identity = await chooseIdentity(await openFolder(dataDir), binaries);
    expect(identity.commandPrefix[0]).toMatch(/unshare|setpriv/);
  });

  it("leaves a folder that another user can run too, once it is theirs", async () => {
    await mkdir(dataDir);
    await chown(dataDir, NOBODY, NOBODY);
    const { url, pid } = await startProgram({ uid: NOBODY });
    expect((await stat(`/proc/${pid}`)).uid).toBe(NOBODY);
    expect(await query(url, "select 1 as n")).toEqual([{ n: 1 }]);
  });

  it("made folder is refused to another user, saying what to do", async () => {
    await useInitializedFolder();
    await expect(startProgram({ uid: 1 })).rejects.toThrow("give the folder to this one (chown -R)");
  });
});
