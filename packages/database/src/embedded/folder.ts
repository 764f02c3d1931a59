import { createHash } from "node:crypto";
import { lstat, mkdir, readdir, realpath } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { StartError } from "../start-error.ts";

/** Where everything of one embedded Postgres is kept. */
export interface Folder {
  readonly root: string;
  /** Postgres's own data directory. Exists only once it is complete. */
  readonly cluster: string;
  readonly passwordFile: string;
  readonly logFile: string;
  /** Holds Postgres's socket. The root itself, unless its path is too long for a socket. */
  readonly socketDirectory: string;
  /** Locked by the process that runs Postgres here. */
  readonly ownerLock: string;
}

/** The kernel allows 107 bytes on Linux and 103 on macOS. */
const LONGEST_SOCKET_PATH_BYTES = 100;
const OWNER_LOCK_NAME = "owner.lock";
/** What Postgres makes of port 5432, by which clients find it. */
export const SOCKET_NAME = ".s.PGSQL.5432";

/** Makes the folder, readable by its owner only, or opens the one that is there.
 *  Throws: the folder holds something else, or belongs to another user. */
export async function openFolder(dataDirectory: string): Promise<Folder> {
  await mkdir(resolve(dataDirectory), { recursive: true, mode: 0o700 });
  const root = await realpath(dataDirectory);
  await assertOurs(root);
  const socketDirectory = await openSocketDirectory(root);
  return {
    root,
    cluster: join(root, "cluster"),
    passwordFile: join(root, "password"),
    logFile: join(root, "postgres.log"),
    socketDirectory,
    ownerLock: join(root, OWNER_LOCK_NAME),
  };
}

/** As root the folder is given to another user. That must never happen to, say, a home directory named by mistake. */
async function assertOurs(root: string): Promise<void> {
  const owner = (await lstat(root)).uid;
  const self = process.getuid?.();
  if (self !== 0 && owner !== self) {
    throw new StartError(
      `${root} belongs to user ${owner}, not to user ${self}; perhaps this was run as root before. ` +
        "Run as that user, give the folder to this one (chown -R), or name another folder",
    );
  }
  const names = await readdir(root);
  const isOurs = names.includes("password") || names.every((name) => name.startsWith(OWNER_LOCK_NAME));
  if (!isOurs) throw new StartError(`${root} is neither empty nor a data folder of embedded Postgres`);
}

async function openSocketDirectory(root: string): Promise<string> {
  if (isFitForSockets(root)) return root;
  const name = `bursar-${createHash("sha256").update(root).digest("hex").slice(0, 16)}`;
  const parent = isFitForSockets(join(tmpdir(), name)) ? tmpdir() : "/tmp";
  const directory = join(parent, name);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await assertNotPlanted(directory, root);
  return directory;
}

/** A comma would end the path in Postgres's setting. */
function isFitForSockets(directory: string): boolean {
  return (
    Buffer.byteLength(join(directory, SOCKET_NAME)) <= LONGEST_SOCKET_PATH_BYTES && !directory.includes(",")
  );
}

/** Anybody may write to a temporary folder: one that waits for us under our name, but is not ours, is a trap. */
async function assertNotPlanted(directory: string, root: string): Promise<void> {
  const { uid, mode } = await lstat(directory);
  const isExpectedOwner = uid === process.getuid?.() || uid === (await lstat(root)).uid;
  const isPrivateFolder = (mode & 0o170077) === 0o040000;
  if (!isExpectedOwner || !isPrivateFolder)
    throw new StartError(`${directory} was made by somebody else; remove it`);
}
