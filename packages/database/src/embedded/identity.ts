import { execFile } from "node:child_process";
import { chown, lstat, readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { StartError } from "../start-error.ts";
import type { Binaries } from "./binaries.ts";
import { postgresEnvironment } from "./environment.ts";
import type { Folder } from "./folder.ts";

const run = promisify(execFile);

/** As whom Postgres runs. It refuses to run as root, whose every mistake would be final. */
export interface Identity {
  /** For the log. */
  readonly name: string;
  /** Options of `spawn`; empty: as ourselves. */
  readonly spawnOptions: { readonly uid?: number; readonly gid?: number };
  /** Put before the command. */
  readonly commandPrefix: readonly string[];
  /** Who must own the data folder. */
  readonly owner: Account;
}

interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Finds a way to run Postgres here, and gives the data folder to whom it will run as. Not root: as ourselves. Root:
 *  the first way that passes a trial with the real binaries and the real folder, because a repository under a home
 *  of mode 0700, for one, can be read by nobody else.
 *  Throws: no way works. */
export async function chooseIdentity(folder: Folder, binaries: Binaries): Promise<Identity> {
  const self = { name: "this user", uid: process.getuid?.() ?? -1, gid: process.getgid?.() ?? -1 };
  if (self.uid !== 0) return { name: self.name, spawnOptions: {}, commandPrefix: [], owner: self };
  for (const identity of waysForRoot(self, await findUnprivilegedAccount())) {
    if (!(await passesTrial(identity, folder, binaries))) continue;
    await giveFolder(folder, identity.owner);
    return identity;
  }
  throw new StartError(
    `Postgres does not run as root, and no other user can reach both ${binaries.postgres} and ${folder.root}. ` +
      "Move the folder out of a private home, run as another user, or set DATABASE_URL",
  );
}

/** From the least privilege to the most:
 *  1. as the account itself: what it needs must be readable for it;
 *  2. in a user namespace where root has another id: files are root's own, its powers are gone;
 *  3. as the account, but able to pass closed directories: where containers forbid namespaces. `no_setuid_fixup`,
 *     because Postgres asks access(2), which else ignores the capability. */
function waysForRoot(root: Account, account: Account): Identity[] {
  const { name, uid, gid } = account;
  const setpriv = [
    "setpriv",
    `--reuid=${uid}`,
    `--regid=${gid}`,
    "--clear-groups",
    "--securebits=+no_setuid_fixup",
  ];
  const withCapability = (capability: string): Identity => ({
    name: `${name} with ${capability}`,
    spawnOptions: {},
    commandPrefix: [...setpriv, `--inh-caps=-all,+${capability}`, `--ambient-caps=-all,+${capability}`],
    owner: account,
  });
  const namespace = ["unshare", "--user", `--map-user=${uid}`, `--map-group=${gid}`];
  return [
    { name, spawnOptions: { uid, gid }, commandPrefix: [], owner: account },
    { name: `${name} in a user namespace`, spawnOptions: {}, commandPrefix: namespace, owner: root },
    withCapability("dac_read_search"),
    withCapability("dac_override"),
  ];
}

async function findUnprivilegedAccount(): Promise<Account> {
  const lines = (await readFile("/etc/passwd", "utf8")).split("\n");
  for (const name of ["postgres", "nobody"]) {
    const [, , uid, gid] = lines.find((line) => line.startsWith(`${name}:`))?.split(":") ?? [];
    if (Number(uid) > 0 && Number(gid) > 0) return { name, uid: Number(uid), gid: Number(gid) };
  }
  return { name: "nobody", uid: 65534, gid: 65534 };
}

/** Changes hands only when it has to: on the first start, or when the way has changed. The folder itself comes last,
 *  so that an interrupted change is made again. */
async function giveFolder(folder: Folder, owner: Account): Promise<void> {
  for (const directory of new Set([folder.root, folder.socketDirectory])) {
    if ((await lstat(directory)).uid === owner.uid) continue;
    const content = (await readdir(directory)).map((name) => join(directory, name));
    if (content.length > 0) await run("chown", ["-Rh", `${owner.uid}:${owner.gid}`, ...content]);
    await chown(directory, owner.uid, owner.gid);
  }
}

/** The folders themselves will be given away, so it is their parents that must let it pass. */
async function passesTrial(identity: Identity, folder: Folder, binaries: Binaries): Promise<boolean> {
  const script = '"$1" --version && test -x "$2" && test -x "$3"';
  const paths = [binaries.postgres, dirname(folder.root), dirname(folder.socketDirectory)];
  const [command = "sh", ...args] = [...identity.commandPrefix, "sh", "-c", script, "trial", ...paths];
  try {
    await run(command, args, { ...identity.spawnOptions, cwd: "/", env: postgresEnvironment() });
    return true;
  } catch {
    return false;
  }
}
