#!/usr/bin/env node
// Plain JavaScript that an old Node can read too: Bursar is TypeScript and runs by Node 24, which comes with it.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import module from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const NEEDED_MAJOR = 24;
const here = dirname(fileURLToPath(import.meta.url));

if (Number.parseInt(process.versions.node, 10) >= NEEDED_MAJOR) {
  // Compiled code is kept, which halves the start. It lives with the modules, where nobody else can write.
  const modules = findUpwards("node_modules");
  if (modules) module.enableCompileCache(join(modules, ".cache", "bursar-compiled"));
  await import("../src/main.ts");
} else {
  const node = findUpwards(shippedNode());
  if (node) runWith(node);
  else complain();
}

function shippedNode() {
  const platform = process.platform === "win32" ? "win" : process.platform;
  const program = process.platform === "win32" ? "node.exe" : "node";
  return join("node_modules", `node-${platform}-${process.arch}`, "bin", program);
}

function findUpwards(path) {
  for (let folder = here; ; folder = dirname(folder)) {
    if (existsSync(join(folder, path))) return join(folder, path);
    if (dirname(folder) === folder) return undefined;
  }
}

/** Becomes the other Node as far as a child can: same terminal, same signals, same end. */
function runWith(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" });
  const isOnTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    // A terminal sends Ctrl-C to both; passed on, it would arrive twice.
    process.on(signal, () => (signal === "SIGINT" && isOnTerminal ? undefined : child.kill(signal)));
  }
  child.on("error", (error) => complain(error));
  child.on("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

function complain(error) {
  const cause = error ? ` (${error.message})` : "";
  console.error(
    `error: bursar needs Node ${NEEDED_MAJOR} or newer, and this is ${process.version} at ${process.execPath}.\n` +
      `The one that comes with Bursar is not installed${cause}: run "npm install" in its folder,\n` +
      "or install a newer Node from https://nodejs.org.",
  );
  process.exitCode = 70;
}
