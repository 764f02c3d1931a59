import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Launcher, query } from "./testing/launcher.ts";
import { killHard, parentOf, untilGone } from "./testing/processes.ts";

const launcher = new Launcher();

describe("embedded Postgres", () => {
  it("starts on a new folder, keeps its data over a restart, and leaves no process", async () => {
    const first = await launcher.start();
    const supervisorPid = await parentOf(first.pid);
    await query(first.url, "create table note as select 'kept' as body");
    await first.stop();
    await untilGone(first.pid, supervisorPid);
    const second = await launcher.start();
    expect(await query(second.url, "select body from note")).toEqual([{ body: "kept" }]);
  });

  it("sorts and encodes the same on every machine, and is durable unless told otherwise", async () => {
    const { url } = await launcher.start({ settings: {} });
    const sql = `select current_setting('server_encoding') as encoding, datlocale as locale,
      current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit,
      current_setting('data_checksums') as checksums, current_setting('listen_addresses') as addresses
      from pg_database where datname = current_database()`;
    expect(await query(url, sql)).toEqual([
      { encoding: "UTF8", locale: "C.UTF-8", fsync: "on", commit: "on", checksums: "on", addresses: "" },
    ]);
  });

  it("lets nobody in without the password, which only its owner can read", async () => {
    await launcher.useInitializedFolder();
    const { url, socketDirectory } = await launcher.start();
    await expect(query(url.replace(/postgres:[^@]+@/, "postgres:wrong@"), "select 1")).rejects.toThrow(
      "password authentication failed",
    );
    expect((await stat(join(launcher.dataDir, "password"))).mode & 0o777).toBe(0o600);
    expect((await stat(socketDirectory)).mode & 0o777).toBe(0o700);
  });

  it("uses a socket elsewhere when the folder's path is too long for one", async () => {
    launcher.dataDir = join(launcher.parent, "long".repeat(40));
    await launcher.useInitializedFolder();
    const postgres = await launcher.start();
    expect(postgres.socketDirectory.length).toBeLessThan(80);
    expect(await query(postgres.url, "select 1 as n")).toEqual([{ n: 1 }]);
    await postgres.stop();
    await expect(stat(postgres.socketDirectory)).rejects.toThrow("ENOENT");
  });

  it("says why Postgres did not start", async () => {
    await launcher.useInitializedFolder();
    await expect(launcher.start({ settings: { shared_buffers: "much" } })).rejects.toThrow(
      'invalid value for parameter "shared_buffers": "much"',
    );
  });

  it("refuses a folder that holds something else", async () => {
    await writeFile(join(launcher.parent, "diary.txt"), "dear diary");
    await expect(launcher.start({ dataDir: launcher.parent })).rejects.toThrow(
      "neither empty nor a data folder",
    );
  });

  it("starts after an initialisation that was cut off", async () => {
    await mkdir(join(launcher.dataDir, "cluster.unfinished-1", "base"), { recursive: true });
    await writeFile(join(launcher.dataDir, "password"), "of the first attempt");
    const { url } = await launcher.start();
    expect(await query(url, "select 1 as n")).toEqual([{ n: 1 }]);
    expect(await readdir(launcher.dataDir)).not.toContain("cluster.unfinished-1");
  });

  it("reports an end that nobody asked for", async () => {
    await launcher.useInitializedFolder();
    const lost = Promise.withResolvers<string>();
    const { pid } = await launcher.start({ onLost: lost.resolve });
    killHard(pid);
    expect(await lost.promise).toMatch(
      /^Postgres ended by itself \(exit code 137\); .*postgres\.log may say why$/,
    );
  });
});

describe("a second start on one folder", () => {
  it("is refused while the first owner lives, naming it", async () => {
    await launcher.useInitializedFolder();
    const { child } = await launcher.startProgram();
    await expect(launcher.start()).rejects.toThrow(`is held by process ${child.pid}`);
  });

  it("is refused when both start at the same time on a new folder", async () => {
    const results = await Promise.allSettled([launcher.start(), launcher.start(), launcher.start()]);
    expect(results.filter((result) => result.status === "fulfilled")).toHaveLength(1);
  });

  it("is welcome after the first was stopped", async () => {
    await launcher.useInitializedFolder();
    const { child, pid } = await launcher.startProgram();
    child.stdin?.end();
    await untilGone(pid, child.pid!);
    await launcher.start();
  });
});
