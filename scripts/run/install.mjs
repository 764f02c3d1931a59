import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runChild } from "./child.mjs";

/** Runs `npm ci` when what is installed is not what package-lock.json says. Gives its exit code, 0 when there was
 *  nothing to do. */
export async function installIfNeeded(root) {
  const lockFile = join(root, "package-lock.json");
  const hash = createHash("sha256").update(readFileSync(lockFile)).digest("hex");
  const stampFile = join(root, "node_modules", ".bursar-lockfile-hash");
  if (readIfThere(stampFile) === hash) return 0;
  if (!wasInstalledByHand(root, lockFile)) {
    const code = await install();
    if (code !== 0) return code;
  }
  leaveStamp(stampFile, hash);
  return 0;
}

/** It only saves the next start a look. Whoever runs what another user has installed, as in a container, cannot write. */
function leaveStamp(stampFile, hash) {
  try {
    writeFileSync(stampFile, hash);
  } catch {
    // Looked at again next time.
  }
}

/** npm writes this file last. Newer than the lock file, it is the trace of somebody's own `npm ci`. */
function wasInstalledByHand(root, lockFile) {
  const trace = join(root, "node_modules", ".package-lock.json");
  return existsSync(trace) && statSync(trace).mtimeMs >= statSync(lockFile).mtimeMs;
}

/** Development packages always: without them there is nothing to test or check with. Optional ones always: among
 *  them are Node and Postgres. */
async function install() {
  console.error("Installing packages (npm ci); this happens once after each change of package-lock.json …");
  const args = ["ci", "--include=dev", "--include=optional"];
  const npm = process.env.npm_execpath;
  const code = npm?.endsWith(".js")
    ? await runChild(process.execPath, [npm, ...args], process.env)
    : await runChild("npm", args, process.env);
  if (code !== 0) console.error(`npm ci failed with exit code ${code}; what it printed above says why`);
  return code;
}

function readIfThere(path) {
  return existsSync(path) ? readFileSync(path, "utf8") : null;
}
