/** Run after every change of dependencies: `node scripts/complete-lock.mjs`.
 *  Where a registry does not carry the optional packages of other platforms, npm leaves them out of the lockfile and
 *  then refuses to `npm ci` from it. This writes the missing ones in, by their exact versions, as optional and for
 *  their platform only: npm then passes over them where they do not belong. */
import { readFileSync, writeFileSync } from "node:fs";

const SYSTEMS = [
  "aix",
  "android",
  "darwin",
  "freebsd",
  "linux",
  "netbsd",
  "openbsd",
  "openharmony",
  "sunos",
  "win32",
];
const PROCESSORS = [
  "arm",
  "arm64",
  "ia32",
  "loong64",
  "mips64el",
  "ppc64",
  "riscv64",
  "s390x",
  "wasm32",
  "x64",
];

const file = new URL("../package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(file, "utf8"));
let added = 0;
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`;
    if (lock.packages[key] !== undefined || lock.packages[`${path}/${key}`] !== undefined) continue;
    lock.packages[key] = placeholder(name, range, entry);
    added += 1;
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${added} optional packages of other platforms added`);

function placeholder(name, range, owner) {
  const words = name.replace("windows", "win32").split(/[/@-]/);
  const named = (known) => known.filter((word) => words.includes(word));
  return {
    version: range.replace(/^[\^~]/, ""),
    ...(owner.dev === true ? { dev: true } : {}),
    cpu: named(PROCESSORS),
    ...(words.includes("musl") ? { libc: ["musl"] } : {}),
    optional: true,
    os: named(SYSTEMS),
  };
}
