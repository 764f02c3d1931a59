import { join } from "node:path";

/** Where Node keeps compiled code from run to run, which saves a third to a half of a start. It lies with the modules,
 *  where nobody else can write. */
export function compiledFolder(root) {
  return join(root, "node_modules", ".cache", "bursar-compiled");
}
