import { execFileSync } from "node:child_process";
import { delimiter, dirname, join } from "node:path";

/** The first release line that runs TypeScript files as they are, without a flag. */
const NEEDED = { major: 22, minor: 18 };

/** The Node of the installed packages, else the one that runs us. Null, with a message, when neither will do.
 *  `searchPath` leads to the same one, for tools that start `node` themselves. */
export function findNode(root) {
  const tools = join(root, "node_modules", ".bin");
  const inherited = process.env.PATH ?? "";
  const installed = join(tools, process.platform === "win32" ? "node.exe" : "node");
  if (isGoodEnough(versionOf(installed))) {
    return { path: installed, searchPath: [tools, inherited].join(delimiter) };
  }
  if (isGoodEnough(process.versions.node)) {
    return {
      path: process.execPath,
      searchPath: [dirname(process.execPath), tools, inherited].join(delimiter),
    };
  }
  console.error(
    `Bursar needs Node ${NEEDED.major}.${NEEDED.minor} or newer. This is ${process.versions.node}, and the Node that ` +
      `npm installs for Bursar does not run on ${process.platform}-${process.arch}. Install a newer Node.`,
  );
  return null;
}

function versionOf(path) {
  try {
    return execFileSync(path, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).slice(
      1,
    );
  } catch {
    return "0.0.0";
  }
}

/** 23 was a short line, and its early releases lack it. */
function isGoodEnough(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major === 23) return minor >= 6;
  return major > NEEDED.major || (major === NEEDED.major && minor >= NEEDED.minor);
}
