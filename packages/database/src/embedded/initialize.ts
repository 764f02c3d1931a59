import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chown, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { StartError } from "../start-error.ts";
import { type Binaries, POSTGRES_MAJOR_VERSION } from "./binaries.ts";
import { postgresEnvironment } from "./environment.ts";
import type { Folder } from "./folder.ts";
import type { Identity } from "./identity.ts";

const UNFINISHED_PREFIX = "cluster.unfinished-";

export interface Initialization {
  readonly folder: Folder;
  readonly binaries: Binaries;
  readonly identity: Identity;
  /** Whether the new cluster must survive a power cut. */
  readonly durable: boolean;
}

/** Makes the cluster unless it exists, and tells the password of its superuser. It is made beside its place and
 *  renamed when complete, so that a crash half-way leaves nothing that looks like a cluster.
 *  Throws: initdb fails; the cluster is of another Postgres version; its password is lost. */
export async function initializeCluster(initialization: Initialization): Promise<string> {
  const { folder } = initialization;
  const version = await readOptional(join(folder.cluster, "PG_VERSION"));
  if (version === null) return createCluster(initialization);
  if (version.trim() !== POSTGRES_MAJOR_VERSION) {
    throw new StartError(
      `${folder.cluster} was made by Postgres ${version.trim()}, this is ${POSTGRES_MAJOR_VERSION}: ` +
        "dump it with the old version and restore it into a new folder",
    );
  }
  const password = await readOptional(folder.passwordFile);
  if (password === null)
    throw new StartError(`${folder.passwordFile} is missing; without it nobody can log in`);
  return password;
}

async function createCluster(initialization: Initialization): Promise<string> {
  const { folder, identity } = initialization;
  await removeUnfinished(folder);
  const password = randomBytes(32).toString("base64url");
  await writeFile(folder.passwordFile, password, { mode: 0o600 });
  if (process.getuid?.() === 0) await chown(folder.passwordFile, identity.owner.uid, identity.owner.gid);
  const unfinished = join(folder.root, `${UNFINISHED_PREFIX}${process.pid}`);
  await runInitdb(initialization, unfinished);
  await rename(unfinished, folder.cluster);
  await syncFolder(folder.root);
  return password;
}

/** So that a power cut cannot undo the rename. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The initdb of a killed process may still be writing; hence the retries. */
async function removeUnfinished(folder: Folder): Promise<void> {
  const names = (await readdir(folder.root)).filter((name) => name.startsWith(UNFINISHED_PREFIX));
  for (const name of names)
    await rm(join(folder.root, name), { recursive: true, force: true, maxRetries: 20 });
}

/** Bytes sort the same everywhere: the builtin C.UTF-8 does not change with the operating system's libraries, so no
 *  index breaks when those are updated. */
async function runInitdb(initialization: Initialization, directory: string): Promise<void> {
  const { folder, binaries, identity, durable } = initialization;
  const access = ["--username", "postgres", "--auth", "scram-sha-256", "--pwfile", folder.passwordFile];
  const locale = [
    "--encoding",
    "UTF8",
    "--locale",
    "C",
    "--locale-provider",
    "builtin",
    "--builtin-locale",
    "C.UTF-8",
  ];
  const [command = binaries.initdb, ...args] = [
    ...identity.commandPrefix,
    binaries.initdb,
    "--pgdata",
    directory,
    "--no-instructions",
    ...access,
    ...locale,
    ...(durable ? [] : ["--no-sync"]),
  ];
  try {
    const options = { ...identity.spawnOptions, cwd: "/", env: postgresEnvironment() };
    await promisify(execFile)(command, args, options);
  } catch (error) {
    const output = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : String(error);
    throw new StartError(`initdb failed in ${folder.root}: ${output}`, { cause: error });
  }
}

async function readOptional(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}
