import { chmod, chown, cp, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { findBinaries } from "./embedded/binaries.ts";
import { openFolder } from "./embedded/folder.ts";
import { chooseIdentity } from "./embedded/identity.ts";
import { Launcher, query } from "./testing/launcher.ts";
import { canUserRunNode, userOf } from "./testing/processes.ts";

const isRoot = process.getuid?.() === 0;
const NOBODY = 65534;
const launcher = new Launcher();

if (!isRoot) console.log("skipping the launcher's tests as root: this is another user");

describe.runIf(isRoot)("root", () => {
  it("runs Postgres as another user", async () => {
    await launcher.useInitializedFolder();
    const { url, pid } = await launcher.start();
    expect(await userOf(pid)).not.toBe(0);
    expect(await query(url, "select 1 as n")).toEqual([{ n: 1 }]);
  });

  it("runs it in a folder that only root may enter, and again when it has been opened", async () => {
    await chmod(launcher.parent, 0o700);
    const closed = await launcher.start();
    await query(closed.url, "create table note as select 'kept' as body");
    await closed.stop();
    await chmod(launcher.parent, 0o755);
    expect(await query((await launcher.start()).url, "select body from note")).toEqual([{ body: "kept" }]);
  });

  it("finds a way to run it from a repository that only root may read", async () => {
    const native = dirname(dirname((await findBinaries()).postgres));
    await cp(native, join(launcher.parent, "native"), { recursive: true, verbatimSymlinks: true });
    await chmod(join(launcher.parent, "native"), 0o700);
    const bin = join(launcher.parent, "native", "bin");
    const binaries = { initdb: join(bin, "initdb"), postgres: join(bin, "postgres") };
    const identity = await chooseIdentity(await openFolder(launcher.dataDir), binaries);
    expect(identity.commandPrefix[0]).toMatch(/unshare|setpriv/);
  });

  it("is not needed: any user can run a folder of their own", async ({ skip }) => {
    skip(!canUserRunNode(NOBODY), "this repository is closed to other users");
    await mkdir(launcher.dataDir);
    await chown(launcher.dataDir, NOBODY, NOBODY);
    const { url, pid } = await launcher.startProgram({ uid: NOBODY });
    expect(await userOf(pid)).toBe(NOBODY);
    expect(await query(url, "select 1 as n")).toEqual([{ n: 1 }]);
  });

  it("keeps other users out of its folder, telling them what to do", async ({ skip }) => {
    skip(!canUserRunNode(NOBODY), "this repository is closed to other users");
    await launcher.useInitializedFolder();
    await expect(launcher.startProgram({ uid: NOBODY })).rejects.toThrow(
      "give the folder to this one (chown -R)",
    );
  });
});
