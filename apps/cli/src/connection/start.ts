import { dirname, join, resolve } from "node:path";
import { DATA_DIR } from "./sandbox.ts";

/** How to start a sandbox that keeps its data where this file is, or where it does by itself. */
export function howToStart(repository: string, sandboxPath?: string): string {
  const home = resolve(repository);
  const dataDir = sandboxPath === undefined ? undefined : dirname(sandboxPath);
  const isElsewhere = dataDir !== undefined && dataDir !== join(home, DATA_DIR);
  return `${isElsewhere ? `BURSAR_DATA_DIR=${dataDir} ` : ""}npm start, in ${home}`;
}
