import { chmod, chown, cp, mkdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { findBinaries } from "./embedded/binaries.ts";
import { openFolder } from "./embedded/folder.ts";
import { chooseIdentity } from "./embedded/identity.ts";
import { Launcher, query } from "./testing/launcher.ts";
import { userOf } from "./testing/processes.ts";

const isRoot = process.getuid?.() === 0;
const NOBODY = 65534;
const launcher = new Launcher();

describe.runIf(isRoot)("as root (skipped for other users: only root can change users)", () => {
  it("runs as an unprivileged user", async () => {
    await launcher.useInitializedFolder();
    const { url, pid } = await launcher.start();
    expect(await userOf(pid)).not.toBe(0);
    expect(await query(url, "select 1 as n")).toEqual([{ n: 1 }]);
  });

  it("runs in a folder that only root may enter, and again when it has been opened", async () => {
    await chmod(launcher.parent, 0o700);
    const closed = await launcher.start();
    await query(closed.url, "create table note as select 'kept' as body");
    await closed.stop();
    await chmod(launcher.parent, 0o755);
    expect(await query((await launcher.start()).url, "select body from note")).toEqual([{ body: "kept" }]);
  });

  it("finds a way to run programs that only root may read", async () => {
    const native = dirname(dirname((await findBinaries()).postgres));
    await cp(native, join(launcher.parent, "native"), { recursive: true, verbatimSymlinks: true });
    await chmod(join(launcher.parent, "native"), 0o700);
    const bin = join(launcher.parent, "native", "bin");
    const binaries = { initdb: join(bin, "initdb"), postgres: join(bin, "postgres") };
    const identity = await chooseIdentity(await openFolder(launcher.dataDir), binaries);
    expect(identity.commandPrefix[0]).toMatch(/unshare|setpriv/);
  });

  it("leaves a folder that another user can run too, once it is theirs", async () => {
    await mkdir(launcher.dataDir);
    await chown(launcher.dataDir, NOBODY, NOBODY);
    const { url, pid } = await launcher.startProgram({ uid: NOBODY });
    expect(await userOf(pid)).toBe(NOBODY);
    expect(await query(url, "select 1 as n")).toEqual([{ n: 1 }]);
  });

  it("made folder is refused to another user, saying what to do", async () => {
    await launcher.useInitializedFolder();
    await expect(launcher.startProgram({ uid: 1 })).rejects.toThrow("give the folder to this one (chown -R)");
  });
});
